import { expect, onTestFinished, test } from "vitest";
import { FakeEngine, serverRecord } from "../../../test/fake-engine.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import { plainPlugin } from "../../../test/plain-plugin.ts";
import type { RecordStore } from "../../contracts/store.ts";
import { Registry } from "../plugins/registry.ts";
import { LoadedInventory } from "./loaded-inventory.ts";

/** A store that counts the records that it gives. */
function counting(records: RecordStore): { readonly records: RecordStore; rows: () => number } {
  let rows = 0;
  const counted = new Proxy(records, {
    get: (target, name) => {
      const call = Reflect.get(target, name) as (...given: unknown[]) => Promise<unknown>;
      return async (...given: unknown[]) => {
        const found = await call.apply(target, given);
        rows += Array.isArray(found) ? found.length : found === null ? 0 : 1;
        return found;
      };
    },
  });
  return { records: counted, rows: () => rows };
}

/** Two servers with a platform each, and so many sites on them, each with its database on the other one. */
async function estateOf(sites: number): Promise<FakeEngine> {
  const engine = await FakeEngine.open(new FakeWorld(), []);
  onTestFinished(async () => engine[Symbol.asyncDispose]());
  const put = async (kind: "server" | "platform" | "site", id: string, value: object): Promise<unknown> =>
    engine.store.records.put({ kind, id, name: `${id}.test`, value: { id, ...value } }, { expect: 0, claims: [] });
  for (const id of ["v0", "v1"]) {
    const services = ["nginx", "apache", "db"].map((name) => ({
      name,
      kind: name === "db" ? "db" : "http",
      type: name,
      options: {},
      optionsVersion: 1,
    }));
    await put("server", id, { ...serverRecord(id), addresses: [`192.0.2.${id.at(-1)}`], services });
    await put("platform", `p${id.at(-1)}`, { name: id, server: id, type: "none", options: {}, optionsVersion: 1 });
  }
  for (let index = 0; index < sites; index += 1) {
    const [here, there] = [index % 2, (index + 1) % 2];
    const common = { domain: `s${index}.test`, aliases: [], status: "installed", options: {} };
    await put("site", `s${index}`, {
      ...common,
      platform: `p${here}`,
      bindings: { http: { service: "apache" }, db: { server: `v${there}`, service: "db" } },
    });
  }
  return engine;
}

test("one site costs the same rows however many there are, and a server those of its own sites", async () => {
  const costs = async (sites: number): Promise<readonly [number, number]> => {
    const { store } = await estateOf(sites);
    const { records, rows } = counting(store.records);
    const inventory = await LoadedInventory.load(records, new Registry([plainPlugin], []));
    await inventory.site("s1");
    for (const server of inventory.servers) await inventory.meet(server);
    const before = rows();
    await inventory.sitesOnServer("v0");
    return [before, rows() - before];
  };
  expect(await costs(10)).toEqual([9, 5]);
  expect(await costs(100)).toEqual([9, 50]);
});

test("what it says of neighbours is what all records say", async () => {
  const { store } = await estateOf(6);
  const draft = { kind: "site", id: "s9", name: "t1", value: { id: "s9", status: "draft", platform: "p0" } } as const;
  await store.records.put(draft, { expect: 0, claims: [] });
  const inventory = await LoadedInventory.load(store.records, new Registry([plainPlugin], []));
  const [v0] = inventory.servers;
  if (v0 === undefined) throw new Error("no server");
  const ids = (sites: readonly { readonly id: string }[]): readonly string[] => sites.map(({ id }) => id);
  expect(ids(await inventory.sitesOnServer("v0"))).toEqual(["s0", "s2", "s4"]);
  expect(ids(await inventory.sitesBoundTo("v0"))).toEqual(["s1", "s3", "s5"]);
  expect(() => inventory.service(v0, "http")).toThrow("http service apache of type");
  await inventory.meet(v0);
  const [web, , db] = v0.services;
  expect(db && inventory.serverView(v0, db, {}).peers).toEqual(["192.0.2.1"]);
  expect(web && inventory.serverView(v0, web, {}).peers).toEqual([]);
  await expect(inventory.site("s9")).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
  expect(await inventory.findSite("@s1.test")).toMatchObject({ id: "s1" });
  expect([inventory.knownVersion("s1"), inventory.knownVersion("s5x")]).toEqual([1, undefined]);
});

test("an id comes before a name of that form, whichever of the two was put first", async () => {
  const engine = await FakeEngine.open(new FakeWorld(), []);
  onTestFinished(async () => engine[Symbol.asyncDispose]());
  for (const [id, name] of [
    ["v1", "v2"],
    ["v2", "web"],
  ] as const) {
    const value = { ...serverRecord(name), id };
    await engine.store.records.put({ kind: "server", id, name, value }, { expect: 0, claims: [] });
  }
  const inventory = await LoadedInventory.load(engine.store.records, new Registry([], []));
  expect([inventory.server("v2").name, inventory.server("@web").id]).toEqual(["web", "v2"]);
});
