import { describe, expect, it } from "vitest";
import type { StoredPlan } from "../../src/contracts/store.ts";
import { ME } from "./holders.ts";
import { type OpenHarness, use } from "./harness.ts";
import { aTask, ended } from "./parts.ts";

const at = (hour: number): string => `2026-01-02T${String(hour).padStart(2, "0")}:00:00.000Z`;
const aPlan = (id: string, change: Partial<StoredPlan> = {}): StoredPlan => ({
  id,
  task: `task of ${id}`,
  request: { domain: "a.test", nested: [1, null] },
  title: "install a.test",
  hash: "",
  sealed: null,
  expiresAt: at(5),
  ...change,
});

export function planPromises(open: OpenHarness): void {
  describe("plans", () => {
    it("gives a plan as it was put last, also to another handle and when its time is over", async () => {
      const { store, reopen } = await use(open);
      await store.plans.put(aPlan("p1"));
      expect(await store.plans.get("p1")).toEqual(aPlan("p1"));
      const made = aPlan("p1", { hash: "h", sealed: "s".repeat(100_000), expiresAt: at(1) });
      await store.plans.put(made);
      expect(await (await reopen()).plans.get("p1")).toEqual(made);
      expect(await store.plans.get("p2")).toBeNull();
    });

    it("tells those whose time was over before a moment, in order, and removes what is named", async () => {
      const { store } = await use(open);
      for (const [id, hour] of [
        ["p3", 1],
        ["p1", 2],
        ["p2", 3],
        ["p4", 4],
      ] as const)
        await store.plans.put(aPlan(id, { expiresAt: at(hour) }));
      expect(await store.plans.expired(at(1))).toEqual([]);
      const over = await store.plans.expired(at(3));
      expect(over).toEqual(["p1", "p3"].map((id) => ({ id, task: `task of ${id}` })));
      await store.plans.remove([...over.map(({ id }) => id), "p9"]);
      await store.plans.remove([]);
      expect((await store.plans.expired(at(9))).map(({ id }) => id)).toEqual(["p2", "p4"]);
    });
  });

  it("tells which plans are more than a number, those first whose time is over first", async () => {
    const { store } = await use(open);
    for (const [id, hour] of [
      ["p3", 1],
      ["p1", 2],
      ["p2", 2],
      ["p4", 4],
    ] as const)
      await store.plans.put(aPlan(id, { expiresAt: at(hour) }));
    const ids = async (keep: number, limit: number) => (await store.plans.surplus(keep, limit)).map(({ id }) => id);
    expect(await ids(4, 9)).toEqual([]);
    expect(await ids(1, 9)).toEqual(["p3", "p1", "p2"]);
    expect(await ids(0, 2)).toEqual(["p3", "p1"]);
    expect((await store.plans.expired(at(9), 3)).map(({ id }) => id)).toEqual(["p1", "p2", "p3"]);
  });

  it("leaves out plans whose tasks are unfinished, before it counts up to the limit", async () => {
    const { store } = await use(open);
    const all = ["p1", "p2", "p3", "p4", "p4b", "p5", "p6"];
    for (const id of all) await store.plans.put(aPlan(id, { expiresAt: at(1) }));
    for (const id of all.slice(0, -1)) await store.tasks.submit(aTask(`task of ${id}`));
    await ended(store, "task of p4b", "queued", "needs-attention");
    await store.tasks.move("task of p2", ["queued"], "running");
    await store.tasks.move("task of p3", ["queued"], "cancelling");
    await store.tasks.move("task of p4", ["queued"], "undoing");
    await ended(store, "task of p5", "queued", "undone");
    const both = ["p5", "p6"].map((id) => ({ id, task: `task of ${id}` }));
    expect(await store.plans.expired(at(3), 2)).toEqual(both);
    expect(await store.plans.surplus(0, 2)).toEqual(both);
    expect(await store.plans.surplus(1, 2)).toEqual(both.slice(0, 1));
  });

  describe("bookmarks", () => {
    it("gives what was put last under its name, to every handle", async () => {
      const { store, reopen } = await use(open);
      expect(await store.bookmarks.get("one")).toBeNull();
      await store.bookmarks.put("one", { cursor: 1 });
      await store.bookmarks.put("two", 2);
      await store.bookmarks.put("one", { cursor: 3, again: [{ ended: 2 }] });
      expect(await (await reopen()).bookmarks.get("one")).toEqual({ cursor: 3, again: [{ ended: 2 }] });
      expect(await store.bookmarks.get("two")).toBe(2);
      await expect(store.bookmarks.put("two", 3, ME)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
      expect(await store.bookmarks.get("two")).toBe(2);
      await store.leases.acquire("two", ME, [{ scope: "two", mode: "exclusive" }]);
      await store.bookmarks.put("two", 3, ME);
      expect(await store.bookmarks.get("two")).toBe(3);
    });
  });
}
