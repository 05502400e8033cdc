import { describe, expect, it } from "vitest";
import type { TaskEnding, TaskState } from "../../src/contracts/store.ts";
import { type OpenHarness, use } from "./harness.ts";
import { ME } from "./holders.ts";
import { aRow, aTask, AT, changes, ended, running } from "./parts.ts";

export function taskPromises(open: OpenHarness): void {
  describe("tasks", () => {
    it("stores a task as queued and lists in the order of submission", async () => {
      const { store, reopen } = await use(open);
      const queued = { ...aTask("t2"), parent: null, state: "queued", finishedAt: null, outcome: null };
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

    it("lists the tasks about a name alone, in whatever state, and those of several names in one order", async () => {
      const { store, reopen } = await use(open);
      const about = { t1: "a", t2: "b", t3: "a", t4: "c", t5: "a" } as const;
      for (const [id, name] of Object.entries(about)) await store.tasks.submit(aTask(id, { about: name }));
      await store.tasks.submit(aTask("t6"));
      await store.tasks.move("t3", ["queued"], "running");
      const other = await reopen();
      const ids = async (filter: Parameters<typeof store.tasks.list>[0]) =>
        (await other.tasks.list(filter)).map(({ id }) => id);
      expect(await ids({ about: ["a"] })).toEqual(["t1", "t3", "t5"]);
      expect(await ids({ about: ["b", "a", "a"], newest: true })).toEqual(["t5", "t3", "t2", "t1"]);
      expect(await ids({ about: ["a", "b"], newest: true, after: "t5", limit: 2 })).toEqual(["t3", "t2"]);
      expect(await ids({ about: ["a"], states: ["running"] })).toEqual(["t3"]);
      expect(await ids({ about: ["z"] })).toEqual([]);
      expect(await ids({ about: [] })).toEqual([]);
      // The same key with the same request is the same task, whatever it is about by now.
      await store.tasks.submit(aTask("t7", { key: "k", about: "a" }));
      expect((await store.tasks.submit(aTask("t8", { key: "k", about: "b" }))).id).toBe("t7");
    });

    it("lists without plans, and tells what is unfinished by id and state alone", async () => {
      const { store } = await use(open);
      for (const id of ["t3", "t1", "t2", "t4"]) await store.tasks.submit(aTask(id, { plan: "p".repeat(100_000) }));
      await store.tasks.move("t1", ["queued"], "running", { plan: { sealed: "x" } });
      await store.tasks.move("t2", ["queued"], "undoing");
      await ended(store, "t4", "queued", "needs-attention");
      for (const task of await store.tasks.list()) expect(task).not.toHaveProperty("plan");
      expect(await store.tasks.unfinished()).toEqual([
        { id: "t1", state: "running" },
        { id: "t2", state: "undoing" },
      ]);
      expect((await store.tasks.get("t1"))?.plan).toEqual({ sealed: "x" });
      expect((await store.tasks.get("t2"))?.plan).toBe("p".repeat(100_000));
    });

    it("lists the children of a task, and keeps what ended of them until it is over itself", async () => {
      const { store, reopen } = await use(open);
      await running(store, "p");
      await running(store, "q");
      for (const [id, parent] of [
        ["c1", "p"],
        ["d1", "q"],
        ["c2", "p"],
      ] as const)
        await store.tasks.submit(aTask(id, { parent }));
      const other = await reopen();
      expect(await other.tasks.get("c1")).toMatchObject({ parent: "p" });
      const ids = async (filter: Parameters<typeof store.tasks.list>[0]) =>
        (await other.tasks.list(filter)).map(({ id }) => id);
      expect(await ids({ parent: "p" })).toEqual(["c1", "c2"]);
      expect(await ids({ parent: "p", after: "c1" })).toEqual(["c2"]);
      expect(await ids({ parent: "p", newest: true, limit: 1, states: ["queued"] })).toEqual(["c2"]);
      expect(await ids({ parent: "c1" })).toEqual([]);
      for (const id of ["c1", "c2", "d1"]) await ended(store, id, "queued", "succeeded");
      expect(await other.tasks.endedBefore("9999", 9)).toEqual([]);
      expect(await store.tasks.remove(["c1"])).toBe(0);
      await ended(store, "p", "running", "needs-attention");
      expect(await store.tasks.remove(["c1"])).toBe(0);
      await store.tasks.move("p", ["needs-attention"], "undoing");
      await ended(store, "p", "undoing", "undone");
      expect(await other.tasks.endedBefore("9999", 9)).toEqual(expect.arrayContaining(["c1", "c2", "p"]));
      expect(await store.tasks.remove(["p", "c1", "d1"])).toBe(2);
      expect(await store.tasks.remove(["c2"])).toBe(1);
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
      expect(await store.tasks.move("t1", ["running"], "cancelling", { outcome: 1 })).toBe(false);
      expect(await store.tasks.move("t9", ["queued"], "running")).toBe(false);
      expect(await store.tasks.get("t1")).toMatchObject({ state: "queued", outcome: null, finishedAt: null });
      expect(await store.tasks.move("t1", ["queued", "cancelling"], "running")).toBe(true);
      expect(await store.tasks.get("t1")).toMatchObject({ state: "running", plan: { id: "p" }, finishedAt: null });
      expect(await store.tasks.move("t1", ["running"], "undoing", { outcome: { value: 1 }, plan: null })).toBe(true);
      expect(await store.tasks.get("t1")).toMatchObject({
        state: "undoing",
        plan: null,
        outcome: { value: 1 },
        finishedAt: null,
      });
    });

    it("ends a task only from an expected state, with all that goes with it, or nothing", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      await store.records.put(
        { kind: "site", id: "s1", name: "a.test", value: {} },
        { expect: 0, claims: ["www.a.test"] },
      );
      for (const id of ["site/s1/a", "site/s1/b", "site/s2/a"]) await store.secrets.add(id, "sealed");
      await store.journal.write([aRow("t1", { undo: "x", output: 1 }), aRow("t2", { undo: "y" })]);
      const discards = [{ kind: "site", id: "d1", number: { counter: "uid", value: 7 } }] as const;
      const gone = { deleteRecords: [{ kind: "site", id: "s1" }], discards, eraseSecrets: ["site/s1/"] } as const;
      expect(await store.records.nextNumber("uid", 7)).toBe(7);
      await store.records.put({ kind: "site", id: "d1", name: "t1", value: {} }, { expect: 0, claims: [] });
      const end = { state: "undone", outcome: { value: 1 }, finishedAt: AT, ...gone } as const;
      const secrets = async () => [...(await store.secrets.get(["site/s1/a", "site/s1/b", "site/s2/a"])).keys()];
      expect(await store.tasks.end("t1", ["queued", "undoing"], end)).toBe(false);
      expect(await store.tasks.end("t9", ["running"], end)).toBe(false);
      expect(await store.records.claimedBy("site", "www.a.test")).toBe("s1");
      expect(await secrets()).toHaveLength(3);
      expect(await store.journal.read("t1")).toEqual([aRow("t1", { undo: "x", output: 1 })]);
      expect(await store.tasks.end("t1", ["running"], end)).toBe(true);
      expect(await store.tasks.get("t1")).toMatchObject({ state: "undone", outcome: { value: 1 }, finishedAt: AT });
      expect([await store.records.get("site", "s1"), await store.records.claimedBy("site", "www.a.test")]).toEqual([
        null,
        null,
      ]);
      expect(await secrets()).toEqual(["site/s2/a"]);
      expect(await store.records.get("site", "d1")).toBeNull();
      expect(await store.records.nextNumber("uid", 7)).toBe(7);
      expect(await store.journal.read("t1")).toEqual([aRow("t1", { output: 1 })]);
      expect(await store.journal.read("t2")).toEqual([aRow("t2", { undo: "y" })]);
    });

    it("gives who tells of an end without a worker the task's own lease with it, or nothing", async () => {
      const { store } = await use(open);
      await store.tasks.submit(aTask("t1"));
      const nothing = { deleteRecords: [], discards: [], eraseSecrets: [] };
      const end = { state: "undone", outcome: null, finishedAt: AT, closer: "h1", ...nothing } as const;
      expect(await store.tasks.end("t1", ["running"], end)).toBe(false);
      expect(await store.leases.list()).toEqual([]);
      const before = await store.leases.lastToken();
      expect(await store.tasks.end("t1", ["queued"], end)).toBe(true);
      const [lease, ...others] = await store.leases.list();
      expect(lease).toMatchObject({ scope: "task/t1", task: "t1", mode: "exclusive", holder: "h1" });
      expect([others, (lease?.token ?? 0) > before]).toEqual([[], true]);
      await store.leases.release("t1", undefined, "h1");
      expect(await store.leases.list()).toEqual([]);
    });

    it("keeps prior states of a task that needs attention, and ends no committed one as undone", async () => {
      const { store } = await use(open);
      for (const id of ["t1", "t2"]) await running(store, id);
      await store.journal.write([aRow("t1", { undo: "x" })]);
      expect(await ended(store, "t1", "running", "needs-attention")).toBe(true);
      expect(await store.journal.read("t1")).toEqual([aRow("t1", { undo: "x" })]);
      await store.journal.commit("t2", AT, changes());
      expect(await ended(store, "t2", "running", "undone")).toBe(false);
      expect(await ended(store, "t2", "running", "succeeded")).toBe(true);
    });

    it("gives the tasks that ended in the order in which they did, without their plans, and once more when they end again", async () => {
      const { store, reopen } = await use(open);
      const other = await reopen();
      expect(await store.tasks.lastEnded()).toBe(0);
      for (const id of ["t1", "t2", "t3"]) await store.tasks.submit(aTask(id, { plan: { id: "p" } }));
      const end = async (id: string, from: TaskState, to: TaskEnding["state"]): Promise<boolean> =>
        ended(store, id, from, to, { id });
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
      const end = async (id: string, state: TaskEnding["state"], finishedAt: string): Promise<void> => {
        await running(store, id);
        if (id === "held") await leases.acquire("held", ME, [{ scope: "task/held", mode: "exclusive" }]);
        await tasks.move(id, ["running"], "running", { plan: "sealed" });
        const nothing = { outcome: null, deleteRecords: [], discards: [], eraseSecrets: [] };
        await tasks.end(id, ["running"], { ...nothing, state, finishedAt });
        await journal.write([aRow(id)]);
        await secrets.add(`task/${id}/login-link`, "x");
      };
      await end("t2", "succeeded", day(2));
      await end("t1", "undone", day(1));
      await end("t3", "needs-attention", day(1));
      await end("t4", "succeeded", day(4));
      await end("held", "succeeded", day(3));
      await running(store, "t5");
      const other = await reopen();
      expect(await other.tasks.endedBefore(day(1), 9)).toEqual([]);
      expect(await other.tasks.endedBefore(day(4), 9)).toEqual(["t1", "t2"]);
      expect(await other.tasks.endedBefore(day(4), 9, ["held", "t1"])).toEqual(["t1", "held"]);
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
      await ended(store, "t1", "queued", "undone");
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
