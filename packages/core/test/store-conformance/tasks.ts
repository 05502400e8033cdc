import { describe, expect, it } from "vitest";
import type { TaskState } from "../../src/contracts/store.ts";
import { type OpenHarness, use } from "./harness.ts";
import { ME } from "./holders.ts";
import { aRow, aTask, AT, changes, running } from "./parts.ts";

export function taskPromises(open: OpenHarness): void {
  describe("tasks", () => {
    it("stores a task as queued and lists in the order of submission", async () => {
      const { store, reopen } = await use(open);
      const queued = { ...aTask("t2"), state: "queued", finishedAt: null, outcome: null };
      expect(await store.tasks.submit(aTask("t2"))).toEqual(queued);
      await store.tasks.submit(aTask("t1"));
      await store.tasks.submit(aTask("t3"));
      const other = await reopen();
      expect(await other.tasks.get("t2")).toEqual(queued);
      expect(await other.tasks.get("t9")).toBeNull();
      await store.tasks.move("t1", ["queued"], "running");
      const ids = async (filter?: Parameters<typeof store.tasks.list>[0]) =>
        (await other.tasks.list(filter)).map((task) => task.id);
      expect(await ids()).toEqual(["t2", "t1", "t3"]);
      expect(await ids({ states: ["queued"] })).toEqual(["t2", "t3"]);
      expect(await ids({ states: ["queued", "running"], limit: 2 })).toEqual(["t2", "t1"]);
      expect(await ids({ states: [] })).toEqual([]);
      expect(await ids({ after: "t2" })).toEqual(["t1", "t3"]);
      expect(await ids({ after: "t2", states: ["queued"], limit: 1 })).toEqual(["t3"]);
      expect(await ids({ after: "t9" })).toEqual([]);
      expect(await ids({ newest: true })).toEqual(["t3", "t1", "t2"]);
      expect(await ids({ newest: true, after: "t3", states: ["queued"] })).toEqual(["t2"]);
      expect(await ids({ newest: true, after: "t9" })).toEqual([]);
    });

    it("lists without plans, and tells what is unfinished by id and state alone", async () => {
      const { store } = await use(open);
      for (const id of ["t3", "t1", "t2", "t4"]) await store.tasks.submit(aTask(id, { plan: "p".repeat(100_000) }));
      await store.tasks.move("t1", ["queued"], "running", { plan: { sealed: "x" } });
      await store.tasks.move("t2", ["queued"], "undoing");
      await store.tasks.move("t4", ["queued"], "needs-attention", { finishedAt: AT });
      for (const task of await store.tasks.list()) expect(task).not.toHaveProperty("plan");
      expect(await store.tasks.unfinished()).toEqual([
        { id: "t1", state: "running" },
        { id: "t2", state: "undoing" },
      ]);
      expect((await store.tasks.get("t1"))?.plan).toEqual({ sealed: "x" });
      expect((await store.tasks.get("t2"))?.plan).toBe("p".repeat(100_000));
    });

    it("tells a queued task's place among the queued", async () => {
      const { store } = await use(open);
      for (const id of ["t1", "t2", "t3"]) await store.tasks.submit(aTask(id));
      const places = async () => Promise.all(["t1", "t2", "t3", "t9"].map(async (id) => store.tasks.position(id)));
      expect(await places()).toEqual([1, 2, 3, null]);
      await store.tasks.move("t2", ["queued"], "running");
      expect(await places()).toEqual([1, null, 2, null]);
    });

    it("gives the same task for the same key and request, in any order of fields, also when its plan came later", async () => {
      const { store } = await use(open);
      await store.tasks.submit(aTask("t1", { key: "k", request: { a: 1, b: 2 } }));
      await store.tasks.move("t1", ["queued"], "running", { plan: { hash: "x" } });
      const again = await store.tasks.submit(aTask("t2", { key: "k", request: { b: 2, a: 1 } }));
      expect(again).toMatchObject({ id: "t1", state: "running", plan: { hash: "x" } });
      expect(await store.tasks.list()).toHaveLength(1);
    });

    it("refuses a key for another request, type or plan, and keeps keys of actors apart", async () => {
      const { store } = await use(open);
      await store.tasks.submit(aTask("t1", { key: "k" }));
      for (const other of [{ request: { domain: "b.test" } }, { type: "verify" }, { plan: { id: "p" } }]) {
        await expect(store.tasks.submit(aTask("t2", { key: "k", ...other }))).rejects.toMatchObject({
          code: "HW_KEY_REUSED",
        });
      }
      expect(await store.tasks.submit(aTask("t3", { key: "k", actor: "alice" }))).toMatchObject({ id: "t3" });
      await store.tasks.submit(aTask("t4"));
      expect(await store.tasks.submit(aTask("t5"))).toMatchObject({ id: "t5" });
      await expect(store.tasks.submit(aTask("t1", { key: "other" }))).rejects.toMatchObject({ code: "HW_TASK_STATE" });
    });

    it("moves a task only from an expected state, with its changes", async () => {
      const { store } = await use(open);
      await store.tasks.submit(aTask("t1", { plan: { id: "p" } }));
      expect(await store.tasks.move("t1", ["running"], "succeeded", { outcome: 1, finishedAt: AT })).toBe(false);
      expect(await store.tasks.move("t9", ["queued"], "running")).toBe(false);
      expect(await store.tasks.get("t1")).toMatchObject({ state: "queued", outcome: null, finishedAt: null });
      expect(await store.tasks.move("t1", ["queued", "cancelling"], "running")).toBe(true);
      expect(await store.tasks.get("t1")).toMatchObject({ state: "running", plan: { id: "p" }, finishedAt: null });
      expect(
        await store.tasks.move("t1", ["running"], "succeeded", { outcome: { value: 1 }, finishedAt: AT, plan: null }),
      ).toBe(true);
      expect(await store.tasks.get("t1")).toMatchObject({
        state: "succeeded",
        plan: null,
        outcome: { value: 1 },
        finishedAt: AT,
      });
    });

    it("gives the tasks that ended in the order in which they did, without their plans, and once more when they end again", async () => {
      const { store, reopen } = await use(open);
      const other = await reopen();
      expect(await store.tasks.lastEnded()).toBe(0);
      for (const id of ["t1", "t2", "t3"]) await store.tasks.submit(aTask(id, { plan: { id: "p" } }));
      const end = async (id: string, from: TaskState, to: TaskState): Promise<boolean> =>
        store.tasks.move(id, [from], to, { finishedAt: AT, outcome: { id } });
      await end("t2", "queued", "needs-attention");
      expect(await end("t1", "running", "undone")).toBe(false);
      await store.tasks.move("t3", ["queued"], "running");
      await end("t1", "queued", "undone");
      const found = await other.tasks.ended(0);
      expect(found.map(({ id }) => id)).toEqual(["t2", "t1"]);
      expect(found[0]).toEqual(
        expect.objectContaining({ type: "install", state: "needs-attention", outcome: { id: "t2" } }),
      );
      expect(found[0]).not.toHaveProperty("plan");
      const numbers = found.map(({ ended }) => ended);
      expect(await other.tasks.lastEnded()).toBe(numbers[1]);
      expect((await other.tasks.ended(numbers[0] ?? 0)).map(({ id }) => id)).toEqual(["t1"]);
      expect((await other.tasks.ended(0, 1)).map(({ id }) => id)).toEqual(["t2"]);
      await store.tasks.move("t2", ["needs-attention"], "undoing");
      await end("t2", "undoing", "undone");
      expect((await other.tasks.ended(0)).map(({ id }) => id)).toEqual(["t1", "t2"]);
      expect((await other.tasks.ended(numbers[1] ?? 0)).map(({ id }) => id)).toEqual(["t2"]);
    });

    it("removes what is over, with all that is the task's alone, and nothing else", async () => {
      const { store, reopen } = await use(open);
      const { tasks, journal, secrets, leases } = store;
      const day = (n: number): string => `2026-01-0${n}T00:00:00.000Z`;
      const end = async (id: string, to: TaskState, at: string): Promise<void> => {
        await running(store, id);
        await tasks.move(id, ["running"], to, { plan: "sealed", finishedAt: at });
        await journal.write([aRow(id)]);
        await secrets.add(`task/${id}/login-link`, "x");
      };
      await end("t2", "succeeded", day(2));
      await end("t1", "undone", day(1));
      await end("t3", "needs-attention", day(1));
      await end("t4", "succeeded", day(4));
      await end("held", "succeeded", day(3));
      await leases.acquire("held", ME, [{ scope: "task/held", mode: "exclusive" }]);
      await running(store, "t5");
      const other = await reopen();
      expect(await other.tasks.endedBefore(day(1), 9)).toEqual([]);
      expect(await other.tasks.endedBefore(day(4), 9)).toEqual(["t1", "t2", "held"]);
      expect(await other.tasks.endedBefore(day(4), 1)).toEqual(["t1"]);
      const last = await tasks.lastEnded();
      expect(await tasks.remove(["t1", "t2", "t3", "held", "t5", "none"])).toBe(2);
      expect((await other.tasks.list()).map(({ id }) => id)).toEqual(["t3", "t4", "held", "t5"]);
      expect(await other.journal.read("t1")).toEqual([]);
      expect([...(await secrets.list("task/", { limit: 9 }))].map(({ id }) => id)).toEqual(
        ["held", "t3", "t4"].map((id) => `task/${id}/login-link`),
      );
      expect(await tasks.lastEnded()).toBe(last);
      await end("t6", "succeeded", day(5));
      expect((await other.tasks.ended(last)).map(({ id }) => id)).toEqual(["t6"]);
    });

    it("gives the key of a task that was removed to another", async () => {
      const { store } = await use(open);
      await store.tasks.submit(aTask("t1", { key: "k" }));
      await store.tasks.move("t1", ["queued"], "undone", { finishedAt: AT });
      await store.tasks.remove(["t1"]);
      const again = aTask("t2", { key: "k", request: { other: true } });
      expect(await store.tasks.submit(again)).toMatchObject({ id: "t2", state: "queued" });
    });

    it("lets one of many claim a task", async () => {
      const { store, reopen } = await use(open);
      const stores = [store, await reopen(), await reopen()];
      await store.tasks.submit(aTask("t1"));
      const won = await Promise.all(stores.map(async (one) => one.tasks.move("t1", ["queued"], "running")));
      expect(won.filter(Boolean)).toHaveLength(1);
    });

    it("lets a committed task go forward only", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      await store.journal.commit("t1", AT, changes());
      for (const back of ["cancelling", "undoing", "undone"] as const) {
        expect(await store.tasks.move("t1", ["running"], back)).toBe(false);
      }
      expect(await store.tasks.move("t1", ["running"], "succeeded")).toBe(true);
    });
  });
}
