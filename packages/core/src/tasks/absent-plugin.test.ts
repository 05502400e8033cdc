import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { FakeEngine, serverRecord } from "../../test/fake-engine.ts";
import { FakeWorld, type FakeSpec } from "../../test/fake-world.ts";
import type { PlatformRole } from "../contracts/platform.ts";
import type { Plugin, ServiceDefinition } from "../contracts/plugin.ts";
import type { Declared } from "../contracts/resource.ts";
import type { DatabaseRequest } from "../contracts/roles/database.ts";
import type { SiteView } from "../contracts/views.ts";
import type { PlanData } from "../engine/planning/plan.ts";
import { Registry, type AnyResourceType } from "../engine/plugins/registry.ts";
import { planRequest, type EngineParts } from "../engine/planning/task-engine.ts";
import { canonicalJson } from "../model/canonical.ts";
import { newId } from "../model/ids.ts";
import { directory } from "../resources/directory.ts";
import { Estate } from "../engine/planning/estate.ts";
import type { PlanningContext } from "../engine/planning/task-type.ts";
import { chooseDatabase } from "./choose-database.ts";
import { deleteSite, removeSite } from "./delete-site.ts";
import { verify, verifyAlias } from "./verify.ts";

const options = { version: 1, schema: z.strictObject({}) };
const declared = (type: string, path: string): Declared => ({ type, spec: { path } });

const http = {
  webUser: "www",
  publication: { root: "/etc/web", statusEntry: () => ({ name: "status", content: "" }) },
  port: () => 80,
  server: () => [directory({ path: "/etc/web" })],
  site: ({ id, domain }: SiteView) => [{ name: `${id}.conf`, content: domain }],
};
const php = {
  server: () => [directory({ path: "/etc/php" })],
  site: ({ id }: SiteView) => [declared("unit", `${id}.service`), declared("php-thing", `/php/${id}`)],
  socket: (id: string) => `/run/${id}`,
  sandbox: () => [],
  interpreter: () => ["php"],
};
const db = {
  protocol: "sql",
  server: () => [directory({ path: "/etc/sql" })],
  site: ({ siteId }: DatabaseRequest) => [declared("database", siteId)],
  binding: () => ({}),
};

function service(name: string, kind: string, role: unknown, types: readonly AnyResourceType[] = []): Plugin {
  const nothing = { packages: () => [], facts: () => ({}), problems: () => [] };
  const definition = { kind, type: name, options, role, ...nothing } as unknown as ServiceDefinition;
  return { name: `${name}-plugin`, contract: 1, services: [definition], resourceTypes: types };
}

function platform(type: string): Plugin {
  const role = {
    databases: ["sql"],
    layout: { docroot: "web", sourceAt: "web", mountPoints: [] },
    driver: { name: `${type}.php`, source: "" },
    ownFolders: () => [],
    confFolders: () => [],
    binds: () => [],
    webRules: () => ({}),
    settings: ({ domain }: SiteView) => [{ path: "settings", content: domain }],
  } as unknown as PlatformRole;
  return { name: `${type}-plugin`, contract: 1, platforms: [{ type, options, siteOptions: options, role }] };
}

let world: FakeWorld;
let engine: FakeEngine;
let plugins: readonly Plugin[];

/** A type of resource whose state is its spec. */
function resource(name: string): AnyResourceType {
  const address = (spec: unknown): string => {
    const { path, name: own, key } = spec as { path?: string; name?: string; key?: string };
    return path ?? own ?? key ?? "";
  };
  const type: AnyResourceType = {
    ...world.type(name),
    key: address,
    desired: (spec: unknown) => ({ value: canonicalJson(spec) }),
    showSpec: (spec: FakeSpec) => canonicalJson(spec),
  };
  return type;
}

function parts(loaded: readonly Plugin[]): EngineParts {
  const core = ["file", "directory", "tree", "unix-user", "unit"].map(resource);
  return { ...engine.parts([verifyAlias, removeSite]), registry: new Registry(loaded, core) };
}

async function plan(loaded: readonly Plugin[], request: { readonly type: string }): Promise<PlanData> {
  return planRequest(parts(loaded), request, newId("t", 16), new AbortController().signal);
}

const without = (...names: readonly string[]): readonly Plugin[] =>
  plugins.filter(({ name }) => !names.includes(name.replace("-plugin", "")));

async function put(kind: "server" | "platform" | "site", id: string, name: string, value: unknown): Promise<void> {
  const known = await engine.store.records.get(kind, id);
  await engine.store.records.put({ kind, id, name, value }, { expect: known?.version ?? 0, claims: [] });
}

function site(id: string, on: string, optionsVersion = 1): Promise<void> {
  const domain = `${id}.example.com`;
  const place = { platform: on, http: "http", php: "php", database: { server: "web1", service: "db" } };
  const common = { aliases: [], status: "installed", enabled: true, uid: 20_000, options: {}, optionsVersion };
  return put("site", id, domain, { id, domain, ...common, ...place });
}

/** What a plan asks for stands, and is registered. */
async function carryOut({ actions }: PlanData): Promise<void> {
  for (const action of actions) {
    if (action.kind === "run") continue;
    for (const { type, key, spec, owner, shared, after: hash } of action.changes) {
      world.states("web1").set(`${type} ${key}`, { value: canonicalJson(spec) });
      await engine.store.register.put([{ server: "web1", type, key, owner, shared, hash }]);
    }
  }
}

beforeEach(async () => {
  world = new FakeWorld();
  engine = await FakeEngine.open(world, []);
  onTestFinished(async () => engine[Symbol.asyncDispose]());
  plugins = [
    service("web", "http", http),
    service("fpm", "php", php, [resource("php-thing")]),
    service("sql", "db", db, [resource("database")]),
    platform("blog"),
    platform("shop"),
  ];
  const services = [
    { name: "http", kind: "http", type: "web" },
    { name: "php", kind: "php", type: "fpm" },
    { name: "db", kind: "db", type: "sql" },
  ].map((record) => ({ ...record, options: {}, optionsVersion: 1 }));
  await put("server", "web1", "web1", { ...serverRecord("web1"), services });
  for (const type of ["blog", "shop"]) {
    const release = {
      root: `/srv/${type}`,
      source: { path: "/source" },
      release: { digest: "d".repeat(64), version: "1" },
    };
    const common = { server: "web1", type, options: {}, optionsVersion: 1, managedBy: null };
    await put("platform", `p-${type}`, type, { id: `p-${type}`, name: type, ...common, ...release });
  }
  await Promise.all([site("s1", "p-blog"), site("s2", "p-shop"), site("s3", "p-shop")]);
  await carryOut(await plan(plugins, verify("web1")));
  expect((await plan(plugins, verify("web1"))).actions).toEqual([]);
});

const problem = (code: string, word: string): unknown =>
  expect.objectContaining({ code, server: "web1", tolerable: true, message: expect.stringContaining(word) as unknown });

describe("the verify of a server on which a plugin is absent", () => {
  test.each([
    [["shop"], "Platform shop"],
    [["sql"], "db service db"],
    [["fpm"], "php service php"],
    [["web"], "http service http"],
  ])("changes nothing of what %s has there, and says so once", async (names, word) => {
    const { actions, register, value } = await plan(without(...names), verify("web1"));
    expect(actions).toEqual([]);
    expect(register).toEqual([]);
    expect(value["problems"]).toEqual([problem("HW_PLUGIN_MISSING", word)]);
  });

  test("sets its neighbours right all the same", async () => {
    for (const id of ["s1", "s2"])
      world.states("web1").set(`directory /srv/sites/${id}/conf`, { value: "by somebody else" });
    const { actions } = await plan(without("shop"), verify("web1"));
    expect(actions.flatMap((action) => (action.kind === "run" ? [] : action.changes.map(({ key }) => key)))).toEqual([
      "/srv/sites/s1/conf",
    ]);
  });

  test("leaves a site whose options a newer version wrote", async () => {
    await site("s2", "p-shop", 2);
    world.states("web1").delete("directory /srv/sites/s2/conf");
    world.states("web1").delete("directory /srv/sites/s3/conf");
    const { actions, value } = await plan(plugins, verify("web1"));
    expect(actions.flatMap((action) => (action.kind === "run" ? [] : action.changes.map(({ key }) => key)))).toEqual([
      "/srv/sites/s3/conf",
    ]);
    expect(value["problems"]).toEqual([problem("HW_OPTIONS_INCOMPATIBLE", "s2.example.com")]);
  });

  test("removes nothing of a type that the present version does not bring any more", async () => {
    const { site: _site, ...role } = php;
    const later = service("fpm", "php", { ...role, site: ({ id }: SiteView) => [declared("unit", `${id}.service`)] });
    // Of the server, of a platform and of a site that was deleted.
    for (const owner of ["server/web1", "platform/p-blog", "site/s9"]) {
      const row = { server: "web1", type: "php-thing", key: owner, owner, shared: false, hash: "h" };
      await engine.store.register.put([row]);
    }
    const { actions } = await plan([...without("fpm"), later], verify("web1"));
    expect(actions).toEqual([]);
  });
});

describe("what needs the absent plugin is refused, and nothing is changed", () => {
  test.each([
    ["the verify of its site", verify("s2.example.com"), ["shop"]],
    ["the verify of its platform", verify("shop"), ["shop"]],
    ["the verify of a site with its database", verify("s1.example.com"), ["sql"]],
    ["the deletion of its site", deleteSite("s2.example.com"), ["shop"]],
  ])("%s", async (_what, request, names) => {
    await expect(plan(without(...names), request)).rejects.toMatchObject({ code: "HW_PLUGIN_MISSING" });
    expect(world.effects).toEqual([]);
  });

  test("the deletion of a site that has something of a type which no plugin knows", async () => {
    const { site: _site, ...role } = php;
    const later = service("fpm", "php", { ...role, site: () => [] });
    await expect(plan([...without("fpm"), later], deleteSite("s1.example.com"))).rejects.toMatchObject({
      code: "HW_PLUGIN_MISSING",
      message: expect.stringContaining("php-thing /php/s1 on web1") as unknown,
    });
  });

  test("not the choice of a database beside one of an absent plugin", async () => {
    const services = [{ name: "db", kind: "db", type: "gone", options: {}, optionsVersion: 1 }];
    await put("server", "db2", "db2", { ...serverRecord("db2"), services });
    const { registry, store } = parts(plugins);
    const estate = await Estate.load(store.records, registry);
    const context = { estate } as unknown as PlanningContext;
    const choose = (wanted?: string): unknown =>
      chooseDatabase(context, wanted, ["sql"], estate.platform("blog"), estate.server("web1"));
    expect(choose()).toEqual({ server: "web1", service: "db" });
    expect(() => choose("db2")).toThrow(expect.objectContaining({ code: "HW_PLUGIN_MISSING", server: "db2" }));
  });

  test("not the verify of a site beside it", async () => {
    expect((await plan(without("shop"), verify("s1.example.com"))).actions).toEqual([]);
  });
});
