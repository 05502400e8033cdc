import { describe, expect, it } from "vitest";
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
