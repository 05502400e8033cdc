import { describe, expect, it } from "vitest";
import type { RegisteredResource } from "../../src/contracts/store.ts";
import { type OpenHarness, use } from "./harness.ts";

const resource = (change: Partial<RegisteredResource> = {}): RegisteredResource => ({
  server: "v1",
  type: "file",
  key: "/etc/a",
  owner: "site/s1",
  shared: false,
  hash: null,
  ...change,
});

export function registerPromises(open: OpenHarness): void {
  describe("register", () => {
    it("gives all that is registered on a server, and only there", async () => {
      const { store, reopen } = await use(open);
      expect(await store.register.servers()).toEqual([]);
      const mine = [resource(), resource({ key: "/etc/b", shared: true }), resource({ type: "link", hash: "h" })];
      await store.register.put([...mine, resource({ server: "v2" })]);
      const found = await (await reopen()).register.onServer("v1");
      expect(found).toHaveLength(3);
      expect(found).toEqual(expect.arrayContaining(mine));
      expect(await store.register.servers()).toEqual(["v1", "v2"]);
    });

    it("gives what owners have and what is at addresses, with everybody who holds the same", async () => {
      const { store } = await use(open);
      const shared = resource({ key: "/shared", shared: true });
      const others = { owner: "site/s2" };
      const at = resource({ ...others, type: "link", key: "/l" });
      const both = [shared, { ...shared, ...others }];
      await store.register.put([...both, resource(), at, resource({ ...others, key: "/theirs" })]);
      await store.register.put([resource({ server: "v2" }), resource({ ...at, server: "v2" })]);
      const found = await store.register.about("v1", ["site/s1"], [{ type: "link", key: "/l" }]);
      expect(found).toHaveLength(4);
      expect(found).toEqual(expect.arrayContaining([...both, resource(), at]));
      expect(await store.register.about("v1", [], [])).toEqual([]);
    });

    it("names everybody who has something on a server and no record once, whatever is recorded of others", async () => {
      const { store } = await use(open);
      const of = (owner: string, server = "v1"): RegisteredResource => resource({ owner, server, key: `/${owner}` });
      const many = ["site/s1", "site/s2", "site/s3", "server/v1", "platform/s1"];
      await store.register.put([...many.map((owner) => of(owner)), resource({ owner: "site/s3", key: "/second" })]);
      await store.register.put([of("site/s4", "v2")]);
      // A draft has its record before it has anything on a server.
      for (const [id, status] of [
        ["s1", "installed"],
        ["s2", "draft"],
      ] as const)
        await store.records.put({ kind: "site", id, name: id, value: { status } }, { expect: 0, claims: [] });
      const orphans = async (server: string): Promise<readonly string[]> =>
        (await store.register.owners(server)).flatMap(({ owner, hasRecord }) => (hasRecord ? [] : owner)).toSorted();
      expect(await orphans("v1")).toEqual(["platform/s1", "server/v1", "site/s3"]);
      expect(await orphans("v2")).toEqual(["site/s4"]);
      expect(await store.register.owners("v9")).toEqual([]);
    });

    it("updates the owner's own entry", async () => {
      const { store } = await use(open);
      await store.register.put([resource()]);
      await store.register.put([resource({ hash: "h1" })]);
      expect(await store.register.onServer("v1")).toEqual([resource({ hash: "h1" })]);
    });

    it("refuses a second owner unless both share, and then registers nothing of the call", async () => {
      const { store } = await use(open);
      await store.register.put([resource(), resource({ key: "/shared", shared: true })]);
      const second = { owner: "site/s2" };
      const refused = [
        resource(second),
        resource({ ...second, shared: true }),
        resource({ ...second, key: "/shared", shared: false }),
      ];
      for (const one of refused) {
        const call = store.register.put([resource({ ...second, key: "/fine" }), one]);
        await expect(call).rejects.toMatchObject({ code: "HW_RESOURCE_CONFLICT", server: "v1" });
      }
      expect(await store.register.onServer("v1")).toHaveLength(2);
      await store.register.put([resource({ ...second, key: "/shared", shared: true })]);
      await expect(store.register.put([resource({ key: "/shared", shared: false })])).rejects.toMatchObject({
        code: "HW_RESOURCE_CONFLICT",
      });
    });

    it("removes one owner's hold and leaves the others'", async () => {
      const { store } = await use(open);
      const two = resource({ owner: "site/s2", shared: true });
      await store.register.put([resource({ shared: true }), two]);
      await store.register.remove([resource(), resource({ key: "/never" })]);
      expect(await store.register.onServer("v1")).toEqual([two]);
    });
  });
}
