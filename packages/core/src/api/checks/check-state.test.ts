import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import * as z from "zod";
import { platform, service } from "../../../test/fake-inventory.ts";
import { ensureStep } from "../../../test/fake-engine.ts";
import { FakeWorker, NEVER, request } from "../../../test/fake-worker.ts";
import { aRow, running } from "../../../test/store-conformance/parts.ts";
import type { Declared } from "../../contracts/resource.ts";
import type { BindingRequest } from "../../contracts/roles/backing.ts";
import type { StoredRecord } from "../../contracts/store.ts";
import { undoContext } from "../../engine/actions/journal.ts";
import { planRequest } from "../../engine/planning/task-engine.ts";
import { sealPlan } from "../../engine/planning/seal-plan.ts";
import { Registry } from "../../engine/plugins/registry.ts";
import { makeStoredPlan } from "../../engine/workers/stored-plans.ts";
import { newId } from "../../model/ids.ts";
import { checkState } from "./check-state.ts";

const withPassword = ({ password }: BindingRequest): readonly Declared[] => [{ type: "account", spec: { password } }];
let fake: FakeWorker;
let registry: Registry;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  const blog = platform("blog");
  const strict = { version: 2, schema: z.strictObject({ colour: z.string().optional() }) };
  const platforms = (blog.platforms ?? []).map((one) => ({ ...one, options: strict, siteOptions: strict }));
  const plugins = [service("web", "http", {}), service("fpm", "php", {}), service("sql", "db", { site: withPassword })];
  registry = new Registry([...plugins, { ...blog, platforms }], [fake.world.type("file")]);
});

const OPTIONS = { options: {}, optionsVersion: 1 };
const SERVICES = [
  { name: "http", kind: "http", type: "web", ...OPTIONS },
  { name: "php", kind: "php", type: "fpm", ...OPTIONS },
  { name: "db", kind: "db", type: "sql", ...OPTIONS },
];
const SERVER = { connect: { type: "local" }, addresses: [], services: SERVICES, managedBy: null };
const PLATFORM = { root: "/srv/r", type: "blog", options: {}, optionsVersion: 2, source: null, release: null };
const SITE = {
  aliases: [],
  status: "installed",
  enabled: true,
  bindings: { http: { service: "http" }, php: { service: "php" } },
  uid: 20_000,
  options: {},
  optionsVersion: 2,
};

const bound = (more: object): object => ({ bindings: { ...SITE.bindings, ...more } });

async function put(kind: StoredRecord["kind"], id: string, value: object): Promise<void> {
  const { records } = fake.engine.store;
  const expect = (await records.get(kind, id))?.version ?? 0;
  await records.put({ kind, id, name: id, value: { id, name: id, domain: id, ...value } }, { expect, claims: [] });
}
const server = async (id: string, change: object = {}): Promise<void> => put("server", id, { ...SERVER, ...change });
const release = async (id: string, change: object = {}): Promise<void> =>
  put("platform", id, { ...PLATFORM, server: "web1", ...change });
const site = async (id: string, change: object = {}): Promise<void> =>
  put("site", id, { ...SITE, platform: "r1", ...change });

/** A server, a platform and a site, all as they must be. */
async function whole(): Promise<void> {
  await server("web1");
  await release("r1");
  await site("s1", bound({ db: { server: "web1", service: "db" } }));
  await fake.parts.vault.put("site/s1/db-password", "hush");
}
const problems = async (): Promise<readonly string[]> =>
  (await checkState({ ...fake.parts, registry })).map(({ code, where, what }) => `${code}: ${where}: ${what}`);

test("a state that is whole has no problems, with a task under way, plans, a draft and what it registered", async () => {
  await whole();
  await site("s2", { status: "draft", platform: "gone" });
  await makeStoredPlan(fake.parts, request("a"), NEVER);
  const { id } = await fake.submit("b");
  await fake.worker.work(id, NEVER);
  await fake.submit("c");
  expect(await fake.engine.registered("web1")).toHaveLength(1);
  expect(await problems()).toEqual([]);
});

test("each secret and prior state that no key opens is named", async () => {
  const { store } = fake.engine;
  const { box } = fake.parts;
  await server("web1");
  for (let n = 0; n < 450; n++) await store.secrets.add(`server/web1/s${n}`, box.seal("a", `server/web1/s${n}`));
  await store.secrets.replace("server/web1/s7", box.seal("a", "server/web1/s8"));
  await store.secrets.replace("server/web1/s99", "hw1.other.AAAA");
  await running(store, "t1");
  await store.journal.write([
    aRow("t1", { action: 0, undo: box.seal("{}", undoContext({ task: "t1", action: 0 })) }),
    aRow("t1", { action: 1, undo: box.seal("{}", undoContext({ task: "t1", action: 0 })) }),
  ]);
  expect(await problems()).toEqual([
    "HW_SECRET_UNREADABLE: secret server/web1/s7: no key opens it",
    "HW_SECRET_UNREADABLE: secret server/web1/s99: no key opens it",
    "HW_SECRET_UNREADABLE: task t1: no key opens 1 of its prior states",
  ]);
});

test("a record that names a record or a service that is not there is told", async () => {
  await whole();
  await release("r2", { server: "v9" });
  await site("s2", { platform: "r9", ...bound({ db: { server: "v8", service: "db" } }) });
  await site("s3", bound({ http: { service: "gone" }, db: { server: "web1", service: "old" } }));
  await site("s4", bound({ cache: { server: "web1", service: "cache" } }));
  for (const id of ["s2/db-password", "s3/db-password", "s4/cache-password"])
    await fake.parts.vault.put(`site/${id}`, "x");
  expect(await problems()).toEqual([
    "HW_NOT_FOUND: platform r2: it names the server v9, which is not there",
    "HW_NOT_FOUND: site s2: it names the platform r9, which is not there",
    "HW_NOT_FOUND: site s2: it names the server v8, which is not there",
    'HW_SERVICE_MISSING: site s3: it uses the http service "gone" of web1, whose record lacks it',
    'HW_SERVICE_MISSING: site s3: it uses the db service "old" of web1, whose record lacks it',
    'HW_SERVICE_MISSING: site s4: it uses the cache service "cache" of web1, whose record lacks it',
  ]);
});

test("secrets of what is not there are told", async () => {
  await whole();
  await fake.parts.vault.put("server/v9/private-key", "hush");
  expect(await problems()).toEqual(["HW_NOT_FOUND: server v9: secrets of it are kept, and it is not there"]);
});

test("a secret that a record needs and that is not there is told", async () => {
  await whole();
  await server("v2", { connect: { type: "ssh" } });
  const place = { server: "web1", service: "db" };
  await site("s2", { ...bound({ db: place }), webRules: { basicAuth: { realm: "x", users: ["eve"] } } });
  await site("s3", { status: "installing", ...bound({ db: place }) });
  expect(await problems()).toEqual([
    "HW_SECRET_UNREADABLE: server v2: its login key is not there",
    "HW_SECRET_UNREADABLE: site s2: its secret site/s2/db-password is not there",
    "HW_SECRET_UNREADABLE: site s2: its secret site/s2/web-password/eve is not there",
  ]);
});

test("a password is asked for of no service that holds none, is absent or cannot say, of whatever kind", async () => {
  const kinds = [{ name: "search", version: 1, title: "search index", role: "backing" } as const];
  const cannot = (): never => {
    throw new TypeError("a fact is missing");
  };
  const roles = { closed: { site: withPassword }, open: { site: () => [] }, odd: { site: cannot } };
  const brought = Object.entries(roles).map(([name, role]) => service(name, "search", role));
  registry = new Registry([...brought, { name: "search", contract: 1, kinds }], []);
  const types = [...Object.keys(roles), "absent"];
  const services = types.map((type) => ({ name: type, kind: "search", type, ...OPTIONS }));
  await server("v2", { services });
  await release("r1");
  for (const type of types) await site(type, bound({ search: { server: "v2", service: type } }));
  expect((await problems()).filter((one) => one.includes("its secret"))).toEqual([
    "HW_SECRET_UNREADABLE: site closed: its secret site/closed/search-password is not there",
  ]);
});

test("a record that lacks what its kind has, or whose options its plugin does not take, is told", async () => {
  await whole();
  await server("v2", { services: [{ name: "x", kind: "http", type: "absent", ...OPTIONS }] });
  await server("v3", { addresses: "none" });
  await release("r2", { options: { colour: 7 } });
  await release("r3", { type: "absent" });
  await site("s2", { options: { size: 1 } });
  await site("s3", { optionsVersion: 9 });
  await site("s4", { status: "odd", uid: null });
  await site("s5", { platform: "r3", options: { size: 1 } });
  expect(await problems()).toEqual([
    expect.stringMatching(/^HW_PLUGIN_MISSING: server v2: v2 has the http service x of type "absent"/),
    expect.stringMatching(/^HW_STORE_DAMAGED: server v3: its record is no server: addresses: /),
    expect.stringMatching(/^HW_OPTIONS_INCOMPATIBLE: platform r2: its plugin refuses the options of it: .*colour/s),
    expect.stringMatching(/^HW_PLUGIN_MISSING: platform r3: /),
    expect.stringMatching(/^HW_OPTIONS_INCOMPATIBLE: site s2: its plugin refuses the options of it: .*size/s),
    expect.stringMatching(/^HW_OPTIONS_INCOMPATIBLE: site s3: .* of version 9/),
    expect.stringMatching(/^HW_STORE_DAMAGED: site s4: its record is no site: status: .*; uid: /),
  ]);
});

test("what is registered for nobody, on no server or of no known type is told, but not what a task removes now", async () => {
  await whole();
  const { store } = fake.engine;
  const row = { server: "web1", type: "file", key: "/a", owner: "site/s1", shared: false, hash: null };
  await store.register.put([
    row,
    { ...row, key: "/b", owner: "site/s9" },
    { ...row, key: "/c", owner: "site/s8" },
    { ...row, key: "/d", type: "odd" },
    { ...row, key: "/e", server: "v9", owner: "server/v9" },
  ]);
  await store.leases.acquire("t1", "me", [{ scope: "site/s8", mode: "exclusive" }]);
  expect(await problems()).toEqual([
    "HW_NOT_FOUND: register of v9: it has 1 things on a server that is not there",
    "HW_NOT_FOUND: register of web1: site/s9 is not there, and has still file /b",
    'HW_PLUGIN_MISSING: register of web1: it has 1 things of the type "odd", which no loaded plugin brings',
  ]);
});

describe("a plan is told, of a task or one that waits for approval,", () => {
  const draft = (value: unknown): void => {
    const spec = { key: "/a", value };
    fake.drafts.set("a", { steps: [ensureStep("web1", [{ type: "file", spec, owner: "site/s1" }])] });
  };
  async function plans(change: (sealed: string) => string = (sealed) => sealed): Promise<readonly string[]> {
    const { id, task } = await makeStoredPlan(fake.parts, request("a"), NEVER);
    const stored = await fake.engine.store.plans.get(id);
    if (stored !== null) await fake.engine.store.plans.put({ ...stored, sealed: change(stored.sealed ?? "") });
    const own = newId("t", 16);
    const plan = await planRequest(fake.parts, request("a"), own, NEVER);
    await fake.submit("a", { id: own, plan: change(await sealPlan(fake.parts.box, plan)) });
    expect(task).not.toBe(own);
    return [`task ${own}`, `plan ${id}`];
  }

  test("that cannot be opened", async () => {
    await whole();
    const found = (await plans((sealed) => `${sealed.slice(0, -6)}AAAAAA`)).map((where): unknown =>
      expect.stringMatching(new RegExp(`^HW_PLAN_FORGED: ${where}: `)),
    );
    expect(await problems()).toEqual(found);
  });

  test("that names what no loaded plugin brings", async () => {
    await whole();
    draft("x");
    const found = (await plans()).map((where): unknown =>
      expect.stringMatching(new RegExp(`^HW_PLUGIN_MISSING: ${where}: its plan needs resource type file@1`)),
    );
    registry = new Registry([service("web", "http", {}), service("fpm", "php", {}), service("sql", "db", {})], []);
    expect((await problems()).filter((one) => /: (task|plan) /.test(one))).toEqual(found);
  });

  test("that names a secret which is not there", async () => {
    await whole();
    draft({ parts: [{ ref: "secret", id: "site/s1/token", label: "token of s1" }] });
    await fake.parts.vault.put("site/s1/token", "hush");
    const found = (await plans()).map(
      (where) => `HW_SECRET_UNREADABLE: ${where}: its plan names the secret site/s1/token, which is not there`,
    );
    await fake.engine.store.secrets.removePrefix("site/s1/token");
    expect(await problems()).toEqual(found);
  });

  test("but not one that was run, whose time is over or whose site was changed since", async () => {
    await whole();
    draft({ parts: [{ ref: "secret", id: "site/s1/token", label: "token of s1" }] });
    const { secrets } = fake.engine.store;
    await fake.parts.vault.put("site/s1/token", "hush");
    await makeStoredPlan({ ...fake.parts, planLifeMs: 1 }, request("a"), NEVER);
    const outdated = await makeStoredPlan(fake.parts, request("a"), NEVER);
    const run = await makeStoredPlan(fake.parts, request("a"), NEVER);
    await fake.submit("a", { id: run.task, plan: { plan: run.id, hash: run.hash } });
    expect(await fake.worker.work(run.task, NEVER)).toMatchObject({ state: "succeeded" });
    await secrets.removePrefix("site/s1/token");
    expect(await problems()).toEqual([expect.stringContaining(`plan ${outdated.id}: its plan names the secret`)]);
    await site("s1", { enabled: false });
    expect(await problems()).toEqual([]);
  });
});

test("what somebody puts between two reads is no problem, and what is one all the same is told", async () => {
  await whole();
  await site("s9", { platform: "r9" });
  const { records } = fake.engine.store;
  const list = records.list.bind(records);
  let puts = 0;
  vi.spyOn(records, "list").mockImplementation(async (kind, options) => {
    const found = await list(kind, options);
    if (kind !== "server") return found;
    puts += 1;
    await server(`new${puts}`);
    await release(`r-new${puts}`, { server: `new${puts}` });
    return found;
  });
  expect(await problems()).toEqual(["HW_NOT_FOUND: site s9: it names the platform r9, which is not there"]);
  expect(puts).toBeGreaterThan(1);
});

test("a damaged events.db is told with a remedy of its own, since nothing needs it", async () => {
  const files = ["/s/store.db", "/s/events.db"].map((file) => ({ file, what: "row 3 missing from index" }));
  vi.spyOn(fake.engine.store, "integrity").mockResolvedValue(files);
  expect((await checkState(fake.parts)).map(({ remedy }) => remedy)).toEqual([
    expect.stringMatching(/^Put the whole state folder back/),
    expect.stringMatching(/^Delete events\.db/),
  ]);
});

test("a damaged file is told, and so is a look that cannot come to its end, and the others go on", async () => {
  await whole();
  const { store } = fake.engine;
  vi.spyOn(store, "integrity").mockResolvedValue([{ file: "store.db", what: "row 3 missing from index" }]);
  vi.spyOn(store.secrets, "list").mockRejectedValue(new SyntaxError("what is that"));
  await site("s9", { platform: "r9" });
  expect(await problems()).toEqual([
    "HW_STORE_DAMAGED: store.db: row 3 missing from index",
    "HW_STORE_DAMAGED: store.db: sealedSecrets came to no end: what is that",
    "HW_NOT_FOUND: site s9: it names the platform r9, which is not there",
  ]);
});
