import { describe, expect, it } from "vitest";
import { ME } from "./holders.ts";
import { type OpenHarness, use } from "./harness.ts";

export function secretPromises(open: OpenHarness): void {
  describe("secrets", () => {
    it("keeps the first that was added, for all", async () => {
      const { store, reopen } = await use(open);
      const other = await reopen();
      const results = await Promise.all([store.secrets.add("a/x", "one"), other.secrets.add("a/x", "two")]);
      const kept = (await store.secrets.get(["a/x"])).get("a/x");
      expect(results).toEqual([kept, kept]);
      await other.secrets.replace("a/x", "three");
      await other.secrets.replace("a/new", "four");
      expect(await store.secrets.get(["a/x", "a/new", "a/none"])).toEqual(
        new Map([
          ["a/x", "three"],
          ["a/new", "four"],
        ]),
      );
    });

    it("sets one of a record only while that is at its version, alone or with the record", async () => {
      const { store } = await use(open);
      const record = { kind: "server", id: "v1", name: "web1", value: {} } as const;
      const of = (version: number) => ({ kind: "server", id: "v1", version }) as const;
      const sealed = async () => (await store.secrets.get(["server/v1/key"])).get("server/v1/key");
      const refused = { code: "HW_TASK_STATE", data: { expect: 1 } };
      await expect(store.secrets.replace("server/v1/key", "x", of(1))).rejects.toMatchObject(refused);
      expect(await sealed()).toBeUndefined();
      const withKey = (key: string) => ({ claims: [], secrets: [{ id: "server/v1/key", sealed: key }] });
      await store.records.put(record, { expect: 0, ...withKey("one") });
      expect(await sealed()).toBe("one");
      await store.secrets.replace("server/v1/key", "two", of(1));
      expect(await sealed()).toBe("two");
      await store.records.put(record, { expect: 1, claims: [] });
      await expect(store.records.put(record, { expect: 1, ...withKey("three") })).rejects.toMatchObject(refused);
      await expect(store.secrets.replace("server/v1/key", "four", of(1))).rejects.toMatchObject(refused);
      expect(await sealed()).toBe("two");
      const other = { kind: "server", id: "v2", name: "web2", value: {} } as const;
      await store.records.put(other, { expect: 0, claims: [] });
      const taken = store.records.put(record, { expect: 2, ...withKey("five"), claims: ["web2"] });
      await expect(taken).rejects.toMatchObject({ code: "HW_RECORD_TAKEN" });
      expect(await sealed()).toBe("two");
    });

    it("tells owners that are not there, unless a task has them, in order", async () => {
      const { store } = await use(open);
      for (const id of ["site/s3/a", "site/s1/b", "site/s1/a", "server/v1/k", "server/v2/k", "task/t1/x", "other/o/x"])
        await store.secrets.add(id, id);
      await store.records.put({ kind: "server", id: "v2", name: "web2", value: {} }, { expect: 0, claims: [] });
      expect(await store.secrets.orphans(9)).toEqual(["server/v1", "site/s1", "site/s3"]);
      expect(await store.secrets.orphans(2)).toEqual(["server/v1", "site/s1"]);
      await store.leases.acquire("t1", ME, [{ scope: "site/s1", mode: "exclusive" }]);
      expect(await store.secrets.orphans(9)).toEqual(["server/v1", "site/s3"]);
    });

    it("lists what begins with the prefix, in pages", async () => {
      const { store } = await use(open);
      for (const id of ["task/b/x", "task/a/x", "site/a/x", "task", "task0", "task/a/y"])
        await store.secrets.add(id, id);
      const page = async (after?: string) => store.secrets.list("task/", { limit: 2, ...(after ? { after } : {}) });
      const named = (...ids: string[]) => ids.map((id) => ({ id, sealed: id }));
      expect(await page()).toEqual(named("task/a/x", "task/a/y"));
      expect(await page("task/a/y")).toEqual(named("task/b/x"));
      expect(await page("task/b/x")).toEqual([]);
      expect(await store.secrets.list("", { limit: 9 })).toHaveLength(6);
    });

    it("removes exactly what begins with the prefix", async () => {
      const { store } = await use(open);
      const ids = [
        "site/a/p",
        "site/a/",
        "site/a/\u{1F600}",
        "site/ab/p",
        "site/A/p",
        "site/_/p",
        "site/%/p",
        "site/a",
      ];
      for (const id of ids) await store.secrets.add(id, "x");
      await store.secrets.removePrefix("site/a/");
      await store.secrets.removePrefix("site/_");
      expect([...(await store.secrets.get(ids)).keys()].toSorted()).toEqual([
        "site/%/p",
        "site/A/p",
        "site/a",
        "site/ab/p",
      ]);
    });
  });
}
