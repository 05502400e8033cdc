import { describe, expect, it } from "vitest";
import type { LeaseRequest } from "../../src/contracts/store.ts";
import { NOBODY } from "../../src/store/holder.ts";
import { ME, OTHER } from "./holders.ts";
import { type OpenHarness, use } from "./harness.ts";
import { aRow, aTask, AT, changes, ended, running } from "./parts.ts";

const OUTCOME = { state: "needs-attention", error: { code: "HW_STORE_RESTORED" } };
const own = (scope: string): LeaseRequest => ({ scope, mode: "exclusive" });
const shared = (scope: string): LeaseRequest => ({ scope, mode: "shared" });

export function epochPromises(open: OpenHarness): void {
  describe("a raised epoch", () => {
    it("rises by one each time, for every handle, and the installation stays", async () => {
      const { store, reopen } = await use(open);
      const other = await reopen();
      const { installation, epoch } = await other.identity();
      expect(await store.raiseEpoch(AT, OUTCOME)).toEqual({ epoch: epoch + 1, tasks: [] });
      expect(await other.identity()).toEqual({ installation, epoch: epoch + 1 });
      await other.raiseEpoch(AT, OUTCOME);
      expect((await (await reopen()).identity()).epoch).toBe(epoch + 2);
    });

    it("gives what is under way to a person, and nothing else", async () => {
      const { store } = await use(open);
      for (const id of ["running", "cancelling", "undoing", "committed", "over"]) await running(store, id);
      await store.tasks.submit(aTask("queued"));
      await store.tasks.move("cancelling", ["running"], "cancelling");
      await store.tasks.move("undoing", ["running"], "undoing");
      await ended(store, "over", "running", "undone", 1);
      await store.journal.commit("committed", AT, changes());
      const { tasks } = await store.raiseEpoch(AT, OUTCOME);
      expect(tasks).toEqual(["running", "cancelling", "undoing"]);
      for (const id of tasks) {
        expect(await store.tasks.get(id)).toMatchObject({ state: "needs-attention", outcome: OUTCOME, finishedAt: AT });
      }
      expect((await store.tasks.ended(0)).map(({ id }) => id)).toEqual(["over", ...tasks]);
      expect(await store.tasks.state("queued")).toBe("queued");
      expect(await store.tasks.state("committed")).toBe("running");
      expect(await store.tasks.get("over")).toMatchObject({ state: "undone", outcome: 1 });
      expect((await store.raiseEpoch(AT, OUTCOME)).tasks).toEqual([]);
    });

    it("keeps sites and platforms that such a task had alone, in nobody's hands, and frees what it shared and servers", async () => {
      const { store } = await use(open);
      const { leases, journal, tasks } = store;
      for (const id of ["t1", "t2"]) await running(store, id);
      await leases.acquire("t1", ME, [own("platform/p1"), own("site/s1"), shared("server/v1"), own("server/v2")]);
      await journal.commit("t2", AT, changes());
      await leases.acquire("t2", OTHER, [own("site/s2"), shared("server/v1")]);
      const [before] = (await leases.list()).filter(({ scope }) => scope === "site/s1");
      await store.raiseEpoch(AT, OUTCOME);
      expect((await leases.list()).map(({ task, scope, holder }) => [task, scope, holder])).toEqual([
        ["t1", "platform/p1", NOBODY],
        ["t2", "server/v1", OTHER],
        ["t1", "site/s1", NOBODY],
        ["t2", "site/s2", OTHER],
      ]);
      expect((await leases.list()).find(({ scope }) => scope === "site/s1")?.token).toBe(before?.token);
      expect(await leases.acquire("t3", ME, [own("site/s1")])).toMatchObject({ blockedBy: [{ task: "t1" }] });
      // Who worked it is out.
      expect(await leases.heartbeat("t1", ME)).toBe(false);
      await expect(store.held("t1", ME).journal.write([aRow("t1")])).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
      await expect(store.held("t1", ME).journal.commit("t1", AT, changes())).rejects.toMatchObject({
        code: "HW_LEASE_LOST",
      });
      await leases.release("t3");
      // And whoever resolves it has it.
      await tasks.move("t1", ["needs-attention"], "undoing");
      await leases.release("t1");
      expect(await leases.acquire("t1", OTHER, [own("site/s1")])).toHaveProperty("granted");
    });

    it("lets the numbers of events leap, also in a store that never had one", async () => {
      const { store } = await use(open);
      const event = { at: AT, task: null, type: "test:event", payload: null };
      await store.raiseEpoch(AT, OUTCOME);
      const [first] = await store.events.append([event]);
      expect(first?.seq).toBeGreaterThan(1_000_000);
      expect(await store.events.after(0)).toHaveLength(1);
      await store.raiseEpoch(AT, OUTCOME);
      expect(await store.events.last()).toBeGreaterThanOrEqual((first?.seq ?? 0) + 1_000_000);
      const [second] = await store.events.append([event]);
      expect(second?.seq).toBeGreaterThan((first?.seq ?? 0) + 1_000_000);
    });
  });

  it("tells how far it came: higher with each grant and each write of the journal, whatever was released", async () => {
    const { store, reopen } = await use(open);
    expect(await store.leases.lastToken()).toBe(0);
    const answer = await store.leases.acquire("t1", ME, [own("site/s1")]);
    const token = "granted" in answer ? (answer.granted[0]?.token ?? 0) : 0;
    expect(token).toBeGreaterThan(0);
    await store.leases.release("t1");
    const other = await reopen();
    expect(await other.leases.lastToken()).toBe(token);
    await store.journal.write([]);
    expect(await other.leases.lastToken()).toBe(token);
    await store.journal.write([aRow("t1"), aRow("t2")]);
    const written = await other.leases.lastToken();
    expect(written).toBeGreaterThan(token);
    const later = await other.leases.acquire("t1", ME, [own("site/s1")]);
    expect("granted" in later ? later.granted[0]?.token : 0).toBeGreaterThan(written);
  });
}
