import { describe, expect, it } from "vitest";
import type { RecordKind, RecordReference } from "../../src/contracts/store.ts";
import { ME } from "./holders.ts";
import { aTask } from "./parts.ts";
import { type OpenHarness, use } from "./harness.ts";

const site = (id: string, name: string, value: unknown = {}) => ({ kind: "site" as const, id, name, value });

export function recordPromises(open: OpenHarness): void {
  describe("records", () => {
    it("gives a record back by id and by name, with its value and version, also to another handle", async () => {
      const { store, reopen } = await use(open);
      const value = { aliases: ["b.test"], nested: { n: 1.5, yes: true, none: null, text: "ü'\"\\\u0000" } };
      expect(await store.records.put(site("s1", "a.test", value), { expect: 0, claims: ["a.test"] })).toEqual({
        ...site("s1", "a.test", value),
        version: 1,
      });
      const other = await reopen();
      const stored = { kind: "site", id: "s1", name: "a.test", version: 1, value };
      expect(await other.records.get("site", "s1")).toEqual(stored);
      expect(await other.records.get("site", "a.test")).toEqual(stored);
      expect(await other.records.get("server", "s1")).toBeNull();
      expect(await other.records.list("site")).toEqual([stored]);
    });

    it("gives a record by each name that it claims, an id before a name, and pages in the order of names", async () => {
      const { store } = await use(open);
      await store.records.put(site("s2", "b.test"), { expect: 0, claims: ["www.b.test", "s1"] });
      await store.records.put(site("s1", "a.test"), { expect: 0, claims: ["www.a.test"] });
      await store.records.put(site("s3", "c.test"), { expect: 0, claims: [] });
      const idOf = async (name: string) => (await store.records.get("site", name))?.id;
      expect(await idOf("www.a.test")).toBe("s1");
      expect(await idOf("www.b.test")).toBe("s2");
      expect(await idOf("s1")).toBe("s1");
      await store.records.forget("site", "s1", 1);
      expect(await idOf("s1")).toBe("s2");
      expect(await idOf("www.a.test")).toBeUndefined();
      await store.records.put(site("s1", "a.test"), { expect: 0, claims: [] });
      const page = async (options: Parameters<typeof store.records.list>[1]) =>
        (await store.records.list("site", options)).map(({ name }) => name);
      expect(await page({ limit: 2 })).toEqual(["a.test", "b.test"]);
      expect(await page({ after: "b.test", limit: 2 })).toEqual(["c.test"]);
      expect(await page({ after: "aa" })).toEqual(["b.test", "c.test"]);
    });

    it("gives what refers to ids, by platform and by server, in one state, and the different values of a field", async () => {
      const { store } = await use(open);
      const put = async (id: string, platform: string, more: Readonly<Record<string, unknown>> = {}) =>
        store.records.put(site(id, `${id}.test`, { platform, status: "installed", ...more }), {
          expect: 0,
          claims: [],
        });
      const [nginx, db] = [{ service: "nginx" }, { server: "v2", service: "db" }];
      await put("b", "p1", { bindings: { http: nginx, db } });
      await put("a", "p1", { bindings: { http: { service: "apache" }, db, search: db } });
      await put("c", "p2", { bindings: { http: nginx, search: { server: "v3", service: "search" } } });
      await put("d", "p1", { status: "draft", bindings: { db } });
      await store.records.put(
        { kind: "platform", id: "e", name: "e", value: { platform: "p1", status: "installed" } },
        { expect: 0, claims: [] },
      );
      const found = async (by: RecordReference, ...ids: readonly string[]) =>
        (await store.records.referring("site", { by, ids, status: ["installed"] })).map(
          ({ id, version }) => `${id}${version}`,
        );
      expect(await found("platform", "p1")).toEqual(["a1", "b1"]);
      expect(await found("platform", "p2", "p1", "p9")).toEqual(["a1", "b1", "c1"]);
      expect(await found("server", "v2")).toEqual(["a1", "b1"]);
      expect(await found("server", "v3", "v2")).toEqual(["a1", "b1", "c1"]);
      expect(await found("service", "v2/db", "v9/db")).toEqual(["a1", "b1"]);
      expect(await found("service", "v3/search")).toEqual(["c1"]);
      expect(await found("service", "v2/search", "v2")).toEqual([]);
      expect(await found("platform")).toEqual([]);
      const all = { by: "platform", ids: ["p1"], status: ["installed", "draft"] } as const;
      expect((await store.records.referring("site", all)).map(({ id }) => id)).toEqual(["a", "b", "d"]);
      const different = async (field: "platform" | "http", by: RecordReference, ...ids: readonly string[]) =>
        store.records.different("site", field, { by, ids, status: ["installed"] });
      expect(await different("http", "platform", "p1", "p2")).toEqual(["apache", "nginx"]);
      expect(await different("platform", "server", "v2")).toEqual(["p1"]);
      await store.records.put(site("b", "b.test", { platform: "p1", status: "installed", bindings: { http: nginx } }), {
        expect: 1,
        claims: [],
      });
      expect(await found("server", "v2")).toEqual(["a1"]);
    });

    it("replaces only the version that was expected", async () => {
      const { store } = await use(open);
      await store.records.put(site("s1", "a.test", 1), { expect: 0, claims: [] });
      expect((await store.records.put(site("s1", "a.test", 2), { expect: 1, claims: [] })).version).toBe(2);
      for (const expectVersion of [0, 1, 3]) {
        await expect(
          store.records.put(site("s1", "a.test", 9), { expect: expectVersion, claims: [] }),
        ).rejects.toMatchObject({ code: "HW_TASK_STATE" });
      }
      await expect(store.records.put(site("s2", "b.test"), { expect: 1, claims: [] })).rejects.toMatchObject({
        code: "HW_TASK_STATE",
      });
      expect(await store.records.get("site", "s1")).toMatchObject({ version: 2, value: 2 });
      expect(await store.records.get("site", "s2")).toBeNull();
    });

    it("keeps a name for one record of a kind, and writes nothing when it is taken", async () => {
      const { store } = await use(open);
      await store.records.put(site("s1", "a.test"), { expect: 0, claims: ["a.test", "www.a.test"] });
      await store.records.put({ kind: "server", id: "v1", name: "a.test", value: {} }, { expect: 0, claims: [] });
      for (const claims of [["www.a.test"], ["new.test", "a.test"]]) {
        await expect(store.records.put(site("s2", "b.test"), { expect: 0, claims })).rejects.toMatchObject({
          code: "HW_DOMAIN_TAKEN",
        });
      }
      await expect(store.records.put(site("s2", "www.a.test"), { expect: 0, claims: [] })).rejects.toMatchObject({
        code: "HW_DOMAIN_TAKEN",
      });
      expect(await store.records.get("site", "s2")).toBeNull();
      expect(await store.records.claimedBy("site", "new.test")).toBeNull();
      expect(await store.records.claimedBy("site", "www.a.test")).toBe("s1");
      expect(await store.records.claimedBy("server", "a.test")).toBe("v1");
    });

    it("says of what kind the name is that is taken", async () => {
      const { store } = await use(open);
      for (const kind of ["server", "platform", "client"] as const) {
        await store.records.put({ kind, id: "one", name: "a", value: {} }, { expect: 0, claims: [] });
        const second = store.records.put({ kind, id: "two", name: "a", value: {} }, { expect: 0, claims: [] });
        await expect(second).rejects.toMatchObject({ code: "HW_RECORD_TAKEN" });
      }
    });

    it("frees the names that a record claims no longer, and all when it is deleted", async () => {
      const { store } = await use(open);
      await store.records.put(site("s1", "a.test"), { expect: 0, claims: ["old.test", "kept.test"] });
      await store.records.put(site("s1", "c.test"), { expect: 1, claims: ["kept.test"] });
      expect(await store.records.claimedBy("site", "a.test")).toBeNull();
      expect(await store.records.claimedBy("site", "old.test")).toBeNull();
      expect(await store.records.claimedBy("site", "kept.test")).toBe("s1");
      await store.records.forget("site", "s1", 2);
      expect(await store.records.claimedBy("site", "kept.test")).toBeNull();
      await store.records.put(site("s2", "c.test"), { expect: 0, claims: ["kept.test"] });
    });

    it("puts nothing that refers to what is not there", async () => {
      const { store } = await use(open);
      const needs = [{ kind: "server", id: "v1" }] as const;
      const platform = { kind: "platform", id: "p1", name: "p", value: { server: "v1" } } as const;
      await expect(store.records.put(platform, { expect: 0, claims: [], needs })).rejects.toMatchObject({
        code: "HW_NOT_FOUND",
      });
      expect(await store.records.list("platform")).toEqual([]);
      await store.records.put({ kind: "server", id: "v1", name: "v", value: {} }, { expect: 0, claims: [] });
      await store.records.put(platform, { expect: 0, claims: [], needs });
    });

    it("forgets a record with its names, its secrets and, of a server, what is registered there", async () => {
      const { store } = await use(open);
      const row = { server: "v1", type: "file", key: "/a", owner: "server/v1", shared: false, hash: null };
      await store.records.put({ kind: "server", id: "v1", name: "v", value: {} }, { expect: 0, claims: ["w"] });
      await store.register.put([row, { ...row, server: "v10" }]);
      for (const id of ["server/v1/key", "server/v10/key"]) await store.secrets.replace(id, "sealed");
      expect(await store.records.forget("server", "v1", 1)).toEqual([row]);
      expect(await store.records.get("server", "w")).toBeNull();
      expect(await store.register.onServer("v1")).toEqual([]);
      expect(await store.register.onServer("v10")).toHaveLength(1);
      expect((await store.secrets.list("", { limit: 9 })).map(({ id }) => id)).toEqual(["server/v10/key"]);
    });

    it("forgets nothing that is at another version or that something needs, and changes nothing then", async () => {
      const { store } = await use(open);
      const put = async (kind: RecordKind, id: string, value: object = {}, name = id) =>
        store.records.put({ kind, id, name, value }, { expect: 0, claims: [] });
      const kept = async (kind: RecordKind, id: string, expected = 1): Promise<void> => {
        await expect(store.records.forget(kind, id, expected), id).rejects.toMatchObject({
          code: "HW_TASK_STATE",
          data: { kind, id, expect: expected },
        });
        expect((await store.records.get(kind, id))?.id).toBe(id);
      };
      for (const id of ["v1", "v2", "v3", "v4", "v5"]) await put("server", id);
      await put("platform", "p1", { server: "v1" });
      await put("platform", "p2", { server: "none" });
      await put("platform", "p3", { server: "none" });
      await put("site", "s1", { status: "installing", platform: "p2", bindings: { db: { server: "v2" } } });
      await put("site", "s2", { status: "deleting", bindings: { cache: { server: "v3" } } });
      await put("site", "s3", { status: "draft", platform: "p3", bindings: { db: { server: "v5" } } }, "t1");
      await put("site", "s4", { status: "draft" }, "t2");
      await store.tasks.submit(aTask("t1"));
      await store.leases.acquire("t9", ME, [{ scope: "server/v4", mode: "shared" }]);
      const row = { server: "v9", type: "file", key: "/a", owner: "site/s2", shared: false, hash: null };
      await store.register.put([row]);
      for (const id of ["v1", "v2", "v3", "v4"]) await kept("server", id);
      await kept("server", "v5", 2);
      await kept("platform", "p2");
      for (const id of ["s2", "s3"]) await kept("site", id);
      await store.records.forget("server", "v5", 1);
      await store.records.forget("platform", "p3", 1);
      await store.records.forget("site", "s4", 1);
    });

    it("gives out a number once only, from the given one on", async () => {
      const { store, reopen } = await use(open);
      const other = await reopen();
      const numbers = await Promise.all(
        [...Array(20).keys()].map(async (i) => (i % 2 ? store : other).records.nextNumber("uid", 20_000)),
      );
      expect(numbers.toSorted((a, b) => a - b)).toEqual([...Array(20).keys()].map((i) => 20_000 + i));
      expect(await store.records.nextNumber("uid", 30_000)).toBe(30_000);
      expect(await store.records.nextNumber("uid", 20_000)).toBe(30_001);
      expect(await store.records.nextNumber("gid", 5)).toBe(5);
    });

    it("draws a number again that was given back, once, and none after the epoch was raised", async () => {
      const { store, reopen } = await use(open);
      const draw = async (from = 20_000) => store.records.nextNumber("uid", from);
      for (const id of ["s1", "s2", "s3"])
        await store.records.put(site(id, `${id}.test`, await draw()), { expect: 0, claims: [`www.${id}.test`] });
      const discard = async (id: string, value: number) => store.records.discard("site", id, { counter: "uid", value });
      const twice = await Promise.all([discard("s2", 20_001), discard("s2", 20_001), discard("none", 5)]);
      expect(twice.filter(Boolean)).toHaveLength(1);
      expect(await discard("s1", 20_000)).toBe(true);
      expect(await store.records.get("site", "www.s1.test")).toBeNull();
      const other = await reopen();
      expect(await other.records.nextNumber("gid", 20_000)).toBe(20_000);
      expect([await draw(20_001), await draw(), await draw()]).toEqual([20_001, 20_000, 20_003]);
      expect(await discard("s3", 20_002)).toBe(true);
      await store.raiseEpoch("2026-01-01T00:00:00.000Z", {});
      expect(await draw()).toBe(20_004);
    });

    it("refuses a secret value instead of storing its placeholder", async () => {
      const { store } = await use(open);
      const { secret } = await import("../../src/model/secret.ts");
      await expect(
        store.records.put(site("s1", "a.test", { password: secret("x") }), { expect: 0, claims: [] }),
      ).rejects.toMatchObject({ code: "HW_INTERNAL" });
      expect(await store.records.list("site")).toEqual([]);
    });
  });
}
