import { describe, expect, it } from "vitest";
import type { RecordChange, StateStore } from "../../src/contracts/store.ts";
import { type OpenHarness, use } from "./harness.ts";
import { aRow, AT, changes, running } from "./parts.ts";

const site = (id: string, name: string, expect = 0, claims: readonly string[] = []): RecordChange => ({
  kind: "site",
  id,
  name,
  value: { id },
  expect,
  claims,
});
const file = (owner: string) => ({ server: "v1", type: "file", key: "/a", owner, shared: false, hash: null });

async function nothingChanged(store: StateStore, task: string): Promise<void> {
  expect(await store.journal.isCommitted(task)).toBe(false);
  expect(await store.records.list("site")).toEqual([]);
  expect(await store.register.onServer("v1")).toEqual([]);
}

export function journalPromises(open: OpenHarness): void {
  describe("journal", () => {
    it("keeps every row in the order written, apart by task", async () => {
      const { store, reopen } = await use(open);
      const rows = [
        aRow("t1", { undo: "sealed" }),
        aRow("t1", { state: "done", output: { rows: 3 } }),
        aRow("t1", { action: 1, attempt: "a2" }),
        aRow("t1", { action: 1, attempt: "a2", phase: "undo", state: "failed" }),
      ];
      await store.journal.write(rows.slice(0, 1));
      await store.journal.write([aRow("t2")]);
      await store.journal.write(rows.slice(1));
      await store.journal.write([]);
      expect(await (await reopen()).journal.read("t1")).toEqual(rows);
      expect(await store.journal.read("t9")).toEqual([]);
    });

    it("writes all rows of a call or none", async () => {
      const { store } = await use(open);
      await store.register.put([file("site/s1")]);
      const call = store.journal.write([aRow("t1"), aRow("t2")], { put: [file("site/s2")], remove: [] });
      await expect(call).rejects.toMatchObject({ code: "HW_RESOURCE_CONFLICT" });
      expect([await store.journal.read("t1"), await store.journal.read("t2")]).toEqual([[], []]);
    });

    it("writes what rows mean for the register with them, removals first, or neither", async () => {
      const { store } = await use(open);
      await store.journal.write([aRow("t1")], { put: [file("site/s1")], remove: [] });
      const taken = store.journal.write([aRow("t1")], { put: [file("site/s2")], remove: [] });
      await expect(taken).rejects.toMatchObject({ code: "HW_RESOURCE_CONFLICT" });
      expect(await store.journal.read("t1")).toHaveLength(1);
      await store.journal.write([aRow("t1")], { put: [file("site/s2")], remove: [file("site/s1")] });
      expect(await store.register.onServer("v1")).toEqual([file("site/s2")]);
    });

    it("writes nothing unless each record is at the version that is expected of it, 0 being none", async () => {
      const { store } = await use(open);
      const expecting = async (id: string, version: number): Promise<unknown> =>
        store.journal.write([aRow("t1")], { put: [file("site/s1")], remove: [] }, [
          { kind: "site", id: "s9", version: 0 },
          { kind: "site", id, version },
        ]);
      await store.records.put({ kind: "site", id: "s1", name: "s1", value: {} }, { expect: 0, claims: [] });
      for (const [id, version] of [
        ["s1", 0],
        ["s1", 2],
        ["s2", 1],
      ] as const) {
        await expect(expecting(id, version)).rejects.toMatchObject({ code: "HW_TASK_STATE" });
        expect(await store.journal.read("t1")).toEqual([]);
        expect(await store.register.onServer("v1")).toEqual([]);
      }
      await expecting("s1", 1);
      expect(await store.journal.read("t1")).toHaveLength(1);
    });
  });

  describe("commit", () => {
    it("makes the commit row and its changes true together, once", async () => {
      const { store, reopen } = await use(open);
      await running(store, "t1");
      expect(await store.journal.isCommitted("t1")).toBe(false);
      const all = changes({
        put: [site("s1", "a.test", 0, ["www.a.test"])],
        register: { put: [file("site/s1")], remove: [] },
      });
      await store.journal.commit("t1", AT, all);
      await store.journal.commit("t1", AT, all);
      const other = await reopen();
      expect(await other.journal.isCommitted("t1")).toBe(true);
      expect(await other.records.get("site", "s1")).toMatchObject({ version: 1 });
      expect(await other.records.claimedBy("site", "www.a.test")).toBe("s1");
      expect(await other.register.onServer("v1")).toEqual([file("site/s1")]);
    });

    it("passes names and resources from one to another", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      await store.records.put(site("s1", "a.test"), { expect: 0, claims: [] });
      await store.records.put(site("s2", "b.test"), { expect: 0, claims: [] });
      await store.records.put(site("s3", "c.test"), { expect: 0, claims: [] });
      await store.register.put([file("site/s3")]);
      await store.journal.commit("t1", AT, {
        put: [site("s1", "b.test", 1), site("s2", "a.test", 1, ["c.test"])],
        deleteRecords: [{ kind: "site", id: "s3", expect: 1 }],
        register: { put: [file("site/s2")], remove: [file("site/s3")] },
      });
      expect((await store.records.list("site")).map(({ id, name }) => [id, name])).toEqual([
        ["s2", "a.test"],
        ["s1", "b.test"],
      ]);
      expect(await store.records.claimedBy("site", "c.test")).toBe("s2");
      expect(await store.register.onServer("v1")).toEqual([file("site/s2")]);
    });

    it("changes nothing when any part is refused", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      const good = { put: [site("s1", "a.test")], register: { put: [file("site/s1")], remove: [] } };
      const refused = [
        ["HW_TASK_STATE", changes({ ...good, put: [...good.put, site("s2", "b.test", 4)] })],
        ["HW_TASK_STATE", changes({ ...good, deleteRecords: [{ kind: "site", id: "s9", expect: 1 }] })],
        ["HW_DOMAIN_TAKEN", changes({ ...good, put: [...good.put, site("s2", "a.test")] })],
        [
          "HW_RESOURCE_CONFLICT",
          changes({ ...good, register: { put: [file("site/s1"), file("site/s2")], remove: [] } }),
        ],
      ] as const;
      for (const [code, change] of refused) {
        await expect(store.journal.commit("t1", AT, change)).rejects.toMatchObject({ code });
        await nothingChanged(store, "t1");
      }
    });

    it("is refused once a cancel came first", async () => {
      const { store } = await use(open);
      const change = changes({ put: [site("s1", "a.test")] });
      await running(store, "t1");
      await store.tasks.move("t1", ["running"], "cancelling");
      await expect(store.journal.commit("t1", AT, change)).rejects.toMatchObject({ code: "HW_TASK_STATE" });
      await expect(store.journal.commit("t9", AT, change)).rejects.toMatchObject({ code: "HW_TASK_STATE" });
      await nothingChanged(store, "t1");
    });
  });
}
