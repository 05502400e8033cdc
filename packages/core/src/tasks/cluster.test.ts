import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { serverRecord } from "../../test/fake-engine.ts";
import { FakeInventory, platform, service, db } from "../../test/fake-inventory.ts";
import type { BindingRequest } from "../contracts/roles/backing.ts";
import type { Plugin } from "../contracts/plugin.ts";
import type { PlanData } from "../engine/planning/plan.ts";
import { requireAssumed } from "../engine/planning/assumed-records.ts";
import { requireSets } from "../engine/planning/assumed-sets.ts";
import { firstWants } from "../engine/workers/first-wants.ts";
import { configure } from "./configure-site.ts";
import { deleteSite } from "./delete-site.ts";
import { verify } from "./verify.ts";

let inventory: FakeInventory;
let plugins: readonly Plugin[];

const services = ["http", "php"].map((kind) => ({
  name: kind,
  kind,
  type: kind === "http" ? "web" : "fpm",
  options: {},
  optionsVersion: 1,
}));

const cluster = async (...members: readonly string[]): Promise<void> => {
  const connect = { type: "cluster", members: members.map((server) => ({ server })) };
  await inventory.put("server", "web", "web", { ...serverRecord("web"), connect });
};

/** Sites of `blog` stand on two members; their database is on the first one, where the sites of `shop` stand alone. */
beforeEach(async () => {
  inventory = await FakeInventory.open();
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
  const seeding = platform("blog", {
    application: {
      driver: { name: "blog.php", source: "" },
      seed: () => ({ command: "seed", input: {}, timeoutMs: 1_000 }),
    } as never,
  });
  const opening = {
    ...db,
    // An account for each web head.
    site: ({ siteId, webHeads }: BindingRequest) => [
      { type: "database", spec: { path: siteId } },
      ...webHeads.map((head) => ({ type: "account", spec: { path: `${siteId}@${head}` } })),
    ],
  };
  const types = [inventory.resource("database"), inventory.resource("account")];
  plugins = [...inventory.without("blog", "sql"), seeding, service("sql", "db", opening, types)];
  for (const [index, name] of ["web1", "web2", "web3"].entries()) {
    const known = (await inventory.engine.store.records.get("server", name))?.value as object | undefined;
    const record = { ...serverRecord(name), services, ...known, addresses: [`192.0.2.${index + 1}`] };
    await inventory.put("server", name, name, record);
  }
  await cluster("web1", "web2");
  const blog = (await inventory.engine.store.records.get("platform", "p-blog"))?.value as object;
  await inventory.put("platform", "p-blog", "blog", { ...blog, server: "web" });
});

const plan = async (request: { readonly type: string }): Promise<PlanData> => inventory.plan(plugins, request);
const done = async (request: { readonly type: string }): Promise<PlanData> => {
  const made = await plan(request);
  await inventory.carryOut(made);
  for (const action of made.actions)
    for (const change of action.kind === "ensure" ? action.changes : [])
      if (change.after === null) {
        inventory.world.states(action.server).delete(`${change.type} ${change.key}`);
        await inventory.engine.store.register.remove([{ ...change, server: action.server }]);
      }
  return made;
};
/** `web1: + unit s1.service`, of one site alone. */
const changes = ({ actions }: PlanData, of = "s1"): readonly string[] =>
  actions.flatMap((action) => {
    if (action.kind !== "ensure") return action.title.includes(of) ? [`${action.server}: ${action.title}`] : [];
    const own = action.changes.filter(({ owner }) => owner === `site/${of}`);
    return own.map(({ type, key, after }) => `${action.server}: ${after === null ? "-" : "+"} ${type} ${key}`);
  });
const problems = ({ value }: PlanData): readonly string[] =>
  (value["problems"] as readonly { readonly message: string }[]).map(({ message }) => message);
const servers = (made: PlanData): readonly string[] => [...new Set(made.actions.map((action) => action.server))];

describe("a member that has joined", () => {
  test("keeps the tasks of the cluster's sites from being planned, until the cluster is verified", async () => {
    const refused = {
      code: "HW_RECORD_IN_USE",
      server: "web2",
      message: expect.stringMatching(/^web2 is a member of web, and does not serve/),
    };
    for (const request of [configure("s1.example.com"), verify("s1.example.com")])
      await expect(plan(request)).rejects.toMatchObject(refused as never);
    // What goes is not held up by where it does not stand yet, nor is a site that stands elsewhere.
    expect(servers(await plan(deleteSite("s1.example.com")))).toEqual(["web1"]);
    expect(changes(await plan(verify("s2.example.com")), "s1")).toEqual([]);
    await done(verify("web"));
    expect((await plan(verify("s1.example.com"))).actions).toEqual([]);
  });

  test("is let in by what the sites are bound to before it serves them, and gets their first content", async () => {
    const made = changes(await plan(verify("web")));
    const place = (text: string): number => made.findIndex((line) => line.includes(text));
    expect(made).toContain("web1: + account s1@192.0.2.2");
    expect(made).toContain("web2: + unit s1.service");
    expect(place("account s1@192.0.2.2")).toBeLessThan(place("web2: + unix-user s1"));
    expect(place("web2: + unix-user s1")).toBeLessThan(place("web2: first content of s1"));
    expect(place("web2: first content of s1")).toBeLessThan(place("web2: + file /etc/web/"));
    expect(made.filter((line) => line.includes("first content"))).toEqual(["web2: first content of s1.example.com"]);
  });

  test("that keeps a site's data already is new to it all the same", async () => {
    await inventory.site("s1", "p-blog", { bindings: { db: { server: "web2", service: "db" } } });
    const record = { ...serverRecord("web2"), addresses: ["192.0.2.2"] };
    const sql = { name: "db", kind: "db", type: "sql", options: {}, optionsVersion: 1 };
    await inventory.put("server", "web2", "web2", { ...record, services: [...services, sql] });
    await done(verify("web2"));
    await cluster("web1", "web2", "web3");
    expect(changes(await plan(verify("web3"))).filter((line) => line.includes("first content"))).toEqual([
      "web3: first content of s1.example.com",
    ]);
  });
});

describe("a member that has left", () => {
  beforeEach(async () => {
    await done(verify("web"));
    await cluster("web1");
  });

  test("keeps the sites' tasks from being planned while it serves them; not, where it is forgotten", async () => {
    const refused = { code: "HW_RECORD_IN_USE", server: "web2", message: expect.stringMatching(/^web2 has left web/) };
    await expect(plan(configure("s1.example.com"))).rejects.toMatchObject(refused as never);
    await expect(plan(deleteSite("s1.example.com"))).rejects.toMatchObject(refused as never);
    await inventory.engine.store.records.forget("server", "web2", 1);
    expect(servers(await plan(configure("s1.example.com")))).toEqual(["web1"]);
  });

  test("is taken out of service by its verify, which leaves folders, users and releases, and names them", async () => {
    const retired = await done(verify("web2"));
    const gone = changes(retired);
    expect(gone).toContain("web2: - unit s1.service");
    expect(gone.some((line) => line.startsWith("web2: - file /etc/web/"))).toBe(true);
    expect(gone.filter((line) => /- (?:directory|unix-user|tree)/.test(line))).toEqual([]);
    const [site, release] = problems(retired);
    expect(site).toMatch(/^s1\.example\.com no longer stands on web2\..*directory \/srv\/sites\/s1,/);
    expect(site).not.toMatch(/unit|\.conf/);
    expect(release).toMatch(/^blog no longer stands on web2\..*tree \/srv\/blog/);
    expect((await plan(verify("web2"))).actions).toEqual([]);
    // Its account goes with the next verify of the site.
    expect(changes(await plan(verify("s1.example.com")))).toContain("web1: - account s1@192.0.2.2");
  });

  test("has its accounts again, and its first content no second time, when it comes back", async () => {
    for (const alias of ["web2", "s1.example.com"]) await done(verify(alias));
    await cluster("web1", "web2");
    await expect(plan(configure("s1.example.com"))).rejects.toMatchObject({ code: "HW_RECORD_IN_USE" });
    const made = changes(await done(verify("web")));
    expect(made).toContain("web1: + account s1@192.0.2.2");
    expect(made).toContain("web2: + unit s1.service");
    expect(made.filter((line) => line.includes("first content"))).toEqual([]);
    expect((await plan(verify("s1.example.com"))).actions).toEqual([]);
  });

  test("is not taken out of service by a plan from before it came back", async () => {
    const made = await plan(verify("web2"));
    const { records } = inventory.engine.store;
    await requireAssumed(records, made);
    await cluster("web1", "web2");
    await expect(requireAssumed(records, made)).rejects.toMatchObject({ code: "HW_RESOURCE_CHANGED" });
  });

  test.each(["platform p-blog", "server web"])("is left as it is where the %s is missing", async (what) => {
    const [kind, id] = what.split(" ") as ["platform" | "server", string];
    await inventory.lose(kind, id);
    const made = await plan(verify("web2"));
    expect(changes(made)).toEqual([]);
    expect(problems(made)).toEqual([]);
  });

  test("a database that its plugin calls otherwise now is no account of a former head", async () => {
    await done(verify("web2"));
    const row = { server: "web1", type: "database", key: "s1_old", owner: "site/s1", shared: false, hash: "h" };
    await inventory.engine.store.register.put([row]);
    inventory.world.states("web1").set("database s1_old", { value: "x" });
    const made = changes(await plan(verify("s1.example.com")));
    expect(made.filter((line) => line.includes(": - "))).toEqual(["web1: - account s1@192.0.2.2"]);
  });

  test("and keeps a unit for the site as its backing service does not hold its tasks up", async () => {
    const kept = { ...db, site: ({ siteId }: BindingRequest) => [{ type: "unit", spec: { path: `${siteId}-store` } }] };
    const types = [inventory.resource("database"), inventory.resource("account")];
    plugins = [...plugins.filter(({ name }) => name !== "sql-plugin"), service("sql", "db", kept, types)];
    await cluster("web1", "web2");
    await done(verify("web"));
    await cluster("web2");
    const refused = { code: "HW_RECORD_IN_USE", server: "web1" };
    await expect(plan(configure("s1.example.com"))).rejects.toMatchObject(refused);
    await done(verify("web1"));
    expect(inventory.world.states("web1").has("unit s1-store")).toBe(true);
    expect(servers(await plan(deleteSite("s1.example.com")))).toContain("web2");
  });

  test("and keeps the site's data is verified beside what it served, and the site's tasks go on", async () => {
    await cluster("web2");
    const made = await done(verify("web1"));
    const gone = changes(made).filter((line) => line.includes(": - "));
    expect(gone).toContain("web1: - unit s1.service");
    expect(gone.filter((line) => line.includes("directory") || line.includes("database"))).toEqual([]);
    expect((await plan(verify("web1"))).actions).toEqual([]);
    const steps = changes(await plan(deleteSite("s1.example.com")));
    expect(steps).toContain("web1: - database s1");
    expect(steps.filter((line) => /^web1: - (?:directory|unix-user)/.test(line))).toEqual([]);
  });
});

describe("what has nothing to do with a cluster's changes", () => {
  const keep = async (owner: string, server: string, type: string): Promise<void> => {
    const row = { server, type, key: `of ${owner}`, owner, shared: false, hash: "h" };
    await inventory.engine.store.register.put([row]);
    inventory.world.states(server).set(`${type} of ${owner}`, { value: "x" });
  };

  test.each(["unit", "file"])(
    "a %s of a site that a package's task keeps on another server stays there",
    async (type) => {
      await done(verify("web"));
      for (const owner of ["site/s1", "site/s2"]) {
        await keep(owner, "web3", type);
        const made = await plan(verify("web3"));
        expect([...changes(made), ...changes(made, "s2")]).toEqual([]);
        expect(problems(made)).toEqual([]);
      }
      expect((await plan(configure("s1.example.com"))).actions).toEqual([]);
      expect((await plan(configure("s2.example.com"))).actions).toEqual([]);
    },
  );

  test("a site whose install was given up on the way can be deleted", async () => {
    await done(verify("web"));
    const { store } = inventory.engine;
    const site = await store.records.get("site", "s1");
    await inventory.put("site", "s1", "s1.example.com", { ...(site?.value as object), status: "installing" });
    for (const row of await store.register.about("web2", ["site/s1"], [])) await store.register.remove([row]);
    expect(servers(await plan(deleteSite("s1.example.com")))).toEqual(["web1"]);
  });
});

test("a task on a site wants all members of its cluster, and one on the cluster has them for itself", async () => {
  const { records } = inventory.engine.store;
  const scopes = async (about: object): Promise<readonly string[]> =>
    (await firstWants(records, "t1", about)).scopes.map(({ scope, mode }) => `${scope} ${mode}`);
  expect(await scopes({ site: "s1.example.com" })).toEqual(
    expect.arrayContaining(["server/web1 shared", "server/web2 shared"]) as never,
  );
  expect(await scopes({ alias: "web" })).toEqual([
    "server/web exclusive",
    "server/web1 exclusive",
    "server/web2 exclusive",
  ]);
});

test("a plan is held to the members that it was made for, and to their order", async () => {
  await done(verify("web"));
  for (const server of ["web1", "web2"])
    inventory.world.states(server).set("directory /srv/sites/s1/conf", { value: "by somebody else" });
  const made = await plan(verify("s1.example.com"));
  expect(servers(made)).toEqual(["web1", "web2"]);
  const parts = { records: inventory.engine.store.records, registry: inventory.parts(plugins).registry };
  await requireSets(parts, made);
  await cluster("web2", "web1");
  await expect(requireSets(parts, made)).rejects.toMatchObject({
    message: expect.stringContaining("The members of cluster web are others") as never,
  });
});

test("one member is verified without the others", async () => {
  await done(verify("web"));
  const made = await plan(verify("web2"));
  expect(made.actions).toEqual([]);
  expect(made.leases.map(({ scope }) => scope)).not.toContain("server/web3");
});
