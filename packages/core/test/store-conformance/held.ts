import { describe, expect, it } from "vitest";
import type { StateStore, TaskWrites } from "../../src/contracts/store.ts";
import { ME, OTHER } from "./holders.ts";
import { type OpenHarness, use } from "./harness.ts";
import { aRow, aTask, AT, changes, running } from "./parts.ts";

const RECORD = { kind: "site", id: "s1", name: "a.test", value: {} } as const;
const PLAN = { id: "p1", task: "t9", request: {}, title: "t", hash: "h", sealed: "sealed", expiresAt: AT };
const RESOURCE = { server: "v1", type: "file", key: "/a", owner: "site/s1", shared: false, hash: null };

/** One call of everything that writes for a task. */
const WRITES: readonly (readonly [name: string, write: (store: TaskWrites) => Promise<unknown>])[] = [
  ["records.put", async ({ records }) => records.put(RECORD, { expect: 0, claims: [] })],
  ["records.nextNumber", async ({ records }) => records.nextNumber("uid", 7)],
  ["register.put", async ({ register }) => register.put([RESOURCE])],
  ["register.remove", async ({ register }) => register.remove([RESOURCE])],
  ["records.forget", async ({ records }) => records.forget("site", "s1", 1)],
  ["tasks.submit", async ({ tasks }) => tasks.submit(aTask("t2"))],
  ["tasks.move", async ({ tasks }) => tasks.move("t1", ["running"], "running", { outcome: 1 })],
  ["journal.write", async ({ journal }) => journal.write([aRow("t1", { undo: "sealed" })])],
  ["journal.commit", async ({ journal }) => journal.commit("t1", AT, changes())],
  ["secrets.add", async ({ secrets }) => secrets.add("site/s1/a", "sealed")],
  ["secrets.replace", async ({ secrets }) => secrets.replace("site/s1/a", "other")],
  ["secrets.removePrefix", async ({ secrets }) => secrets.removePrefix("site/s1/")],
  ["plans.put", async ({ plans }) => plans.put(PLAN)],
  ["plans.remove", async ({ plans }) => plans.remove(["p1"])],
  [
    "tasks.end",
    async ({ tasks }) => {
      const nothing = { outcome: null, finishedAt: AT, deleteRecords: [], discards: [], eraseSecrets: [] };
      return tasks.end("t1", ["running"], { state: "succeeded", ...nothing });
    },
  ],
];

async function everything(store: StateStore): Promise<string> {
  const { records, register, tasks, journal, secrets, plans } = store;
  return JSON.stringify([
    await records.list("site"),
    await register.onServer("v1"),
    await tasks.list(),
    await journal.read("t1"),
    await journal.isCommitted("t1"),
    [...(await secrets.get(["site/s1/a"]))],
    await plans.get("p1"),
  ]);
}

export function servedNamesPromises(open: OpenHarness): void {
  describe("what is written for a task by its holder", () => {
    it("is written while that has a lease of the task, and nothing of it afterwards", async () => {
      const { store, reopen } = await use(open);
      await running(store, "t1");
      await store.leases.acquire("t1", ME, [{ scope: "task/t1", mode: "exclusive" }]);
      const late = (await reopen()).held("t1", OTHER);
      for (const [name, write] of WRITES) {
        const before = await everything(store);
        await expect(write(late), name).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
        expect(await everything(store), name).toBe(before);
        await write(store.held("t1", ME));
      }
      await store.leases.release("t1");
      const after = await everything(store);
      for (const [name, write] of WRITES)
        await expect(write(store.held("t1", ME)), name).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
      expect(await everything(store)).toBe(after);
    });
  });
}
