import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { serverRecord } from "../../test/fake-engine.ts";
import { declared, FakeInventory, platform, service } from "../../test/fake-inventory.ts";
import type { Declared } from "../contracts/resource.ts";
import type { BindingRequest } from "../contracts/roles/backing.ts";
import type { Plugin } from "../contracts/plugin.ts";
import type { PlanData } from "../engine/planning/plan.ts";
import type { ServerRecord, SiteRecord } from "../model/records.ts";
import { directory } from "../resources/directory.ts";
import { file } from "../resources/file.ts";
import { configure } from "./configure-site.ts";
import { deleteSite } from "./delete-site.ts";
import { install } from "./install-site.ts";
import { verify } from "./verify.ts";

let inventory: FakeInventory;
let plugins: readonly Plugin[];

const SITE = "s4.example.com";
const bindings = { search: { server: "store1", service: "index" } };
const index = ({ siteId }: BindingRequest): readonly Declared[] => [declared("index", `/index/${siteId}`)];
const closedIndex = ({ siteId, password }: BindingRequest): readonly Declared[] => [
  { type: "index", spec: { path: `/index/${siteId}`, password } },
];

/** Brings the kind `search` and a service of it. */
function lucene(
  site: (request: BindingRequest) => readonly Declared[] = index,
  more: Readonly<Record<string, unknown>> = {},
): Plugin {
  const role = {
    protocol: "lucene",
    server: () => [directory({ path: "/etc/lucene" })],
    site,
    binding: ({ siteId, password }: BindingRequest) => ({ protocol: "lucene", host: "store1", user: siteId, password }),
    ...more,
  };
  const kinds = [{ name: "search", version: 1, title: "search index", role: "backing" } as const];
  return { ...service("lucene", "search", role, [inventory.resource("index")]), kinds };
}

beforeEach(async () => {
  inventory = await FakeInventory.open();
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
  const needs = { php: {}, db: { protocols: ["sql"] }, search: { optional: true } } as const;
  plugins = [...inventory.without("blog"), platform("blog", { needs }), lucene()];
  const web = (await inventory.engine.store.records.get("server", "web1"))?.value as ServerRecord;
  await inventory.put("server", "web1", "web1", { ...web, addresses: ["192.0.2.1"] });
  const services = [{ name: "index", kind: "search", type: "lucene", options: {}, optionsVersion: 1 }];
  await inventory.put("server", "store1", "store1", { ...serverRecord("store1"), addresses: ["192.0.2.2"], services });
  await inventory.carryOut(await inventory.plan(plugins, verify("store1")));
});

async function withSite(): Promise<void> {
  await inventory.site("s4", "p-blog", { bindings });
  await inventory.carryOut(await inventory.plan(plugins, verify(SITE)));
}

/** What a plan does on a server, a line each: its actions, and what each of them changes. */
function doneOn({ actions }: PlanData, server: string): readonly string[] {
  return actions
    .filter((action) => action.server === server)
    .flatMap((action) => [
      `${action.phase}: ${action.title}`,
      ...(action.kind !== "ensure"
        ? []
        : action.changes.map(({ type, key, after }) => `${after === null ? "-" : "+"} ${type} ${key}`)),
    ]);
}

describe("a site with a service of a plugin's own kind, on another server than its pages,", () => {
  test("is installed with what it keeps there, under the kind's title", async () => {
    const plan = await inventory.plan(
      plugins,
      install("new.example.com", { platform: "blog", bindings: { search: "store1" } }),
    );
    const site = plan.reserve[0]?.value as SiteRecord;
    expect(site.bindings["search"]).toEqual({ server: "store1", service: "index" });
    expect(doneOn(plan, "store1")).toEqual([
      "prepare: search index of new.example.com, by lucene-plugin",
      `+ index /index/${site.id}`,
    ]);
    expect(doneOn(plan, "web1").join("\n")).not.toContain("/index/");
  });

  test("has it in the verify of that server, and not in the one of its web server", async () => {
    await withSite();
    for (const alias of ["store1", "web1", SITE])
      expect((await inventory.plan(plugins, verify(alias))).actions).toEqual([]);
    inventory.world.states("store1").delete("index /index/s4");
    expect(doneOn(await inventory.plan(plugins, verify("store1")), "store1")).toEqual([
      expect.stringMatching(/^prepare: /),
      "+ index /index/s4",
    ]);
    expect((await inventory.plan(plugins, verify("web1"))).actions).toEqual([]);
  });

  test("is asked for its password only by a service that holds one", async () => {
    const secretOf = async (plugin: Plugin): Promise<boolean> => {
      const chosen = plugins.map((one) => (one.name === plugin.name ? plugin : one));
      await inventory.site("s4", "p-blog", { bindings });
      await inventory.plan(chosen, verify(SITE));
      const id = "site/s4/search-password";
      return (await inventory.engine.store.secrets.get([id])).has(id);
    };
    expect(await secretOf(lucene())).toBe(false);
    expect(await secretOf(lucene(closedIndex))).toBe(true);
  });

  test("loses it there when it is taken away, and when the site is deleted", async () => {
    await withSite();
    const taken = await inventory.plan(plugins, configure(SITE, { bindings: { search: null } }));
    expect(doneOn(taken, "store1")).toEqual([
      `clean-up: remove what store1 kept for ${SITE} and keeps no longer`,
      "- index /index/s4",
    ]);
    expect(taken.commit.put.map(({ value }) => Object.keys((value as SiteRecord).bindings))).toEqual([
      ["http", "php", "db"],
    ]);
    const deleted = await inventory.plan(plugins, deleteSite(SITE));
    expect(doneOn(deleted, "store1")).toEqual([`clean-up: remove search index of ${SITE}`, "- index /index/s4"]);
  });
});

describe("without the plugin that brings a kind", () => {
  const without = (): readonly Plugin[] => plugins.filter(({ name }) => name !== "lucene-plugin");
  const missing = { code: "HW_PLUGIN_MISSING", server: "store1" };

  beforeEach(withSite);

  test.each([
    ["verified", verify(SITE)],
    ["configured", configure(SITE)],
    ["deleted", deleteSite(SITE)],
  ])("a site that is bound to a service of it is not %s, and its neighbour is", async (_what, request) => {
    await expect(inventory.plan(without(), request)).rejects.toMatchObject(missing);
    const neighbour = JSON.parse(JSON.stringify(request).replaceAll(SITE, "s1.example.com")) as typeof request;
    await expect(inventory.plan(without(), neighbour)).resolves.toMatchObject({ request: neighbour });
    expect(inventory.world.effects).toEqual([]);
  });

  test.each(["web1", "store1"])("the verify of %s removes nothing of it, and says so", async (server) => {
    inventory.world.states("web1").set("directory /srv/sites/s1/conf", { value: "by somebody else" });
    inventory.world.states("web1").set("directory /srv/sites/s4/conf", { value: "by somebody else" });
    const plan = await inventory.plan(without(), verify(server));
    expect(doneOn(plan, server).filter((line) => /^[-+] /.test(line))).toEqual(
      server === "web1" ? ["+ directory /srv/sites/s1/conf"] : [],
    );
    expect(plan.register).toEqual([]);
    expect(plan.value.problems).toEqual([
      expect.objectContaining({ code: "HW_PLUGIN_MISSING", message: expect.stringContaining("search") as unknown }),
    ]);
  });

  test("a site is installed without one, and refused one by the kind's name", async () => {
    const asked = (bound: Readonly<Record<string, string>>): ReturnType<typeof install> =>
      install("new.example.com", { platform: "blog", bindings: bound });
    expect((await inventory.plan(without(), asked({}))).reserve).toHaveLength(1);
    await expect(inventory.plan(without(), asked({ search: "store1" }))).rejects.toMatchObject({
      code: "HW_PLUGIN_MISSING",
      message: expect.stringContaining('the kind "search"') as unknown,
    });
  });
});

describe("a site with a service of a plugin's own kind that publishes", () => {
  const entry = (id: string): string => `/etc/lucene/entries/${id}.conf`;

  beforeEach(() => {
    const publication = { root: "/etc/lucene", statusEntry: () => ({ name: "status", content: "" }) };
    const publishing = lucene(({ siteId }) => [file({ path: entry(siteId), content: siteId })], { publication });
    plugins = [...plugins.filter(({ name }) => name !== "lucene-plugin"), publishing];
  });

  test("is installed, verified and deleted with what it has there put in force after each change", async () => {
    const installing = await inventory.plan(
      plugins,
      install("new.example.com", { platform: "blog", bindings: { search: "store1" } }),
    );
    const site = installing.reserve[0]?.value as SiteRecord;
    expect(doneOn(installing, "store1")).toEqual([
      "prepare: search index of new.example.com, by lucene-plugin",
      `+ file ${entry(site.id)}`,
      "prepare: put what index has for new.example.com in force",
    ]);
    await inventory.site("s4", "p-blog", { bindings });
    expect(doneOn(await inventory.plan(plugins, verify("store1")), "store1")).toEqual([
      "prepare: entries of 1 sites of store1",
      `+ file ${entry("s4")}`,
      "prepare: put the configuration of index on store1 in force",
    ]);
    await inventory.carryOut(await inventory.plan(plugins, verify(SITE)));
    expect((await inventory.plan(plugins, verify("store1"))).actions).toEqual([]);
    expect(doneOn(await inventory.plan(plugins, deleteSite(SITE)), "store1")).toEqual([
      `clean-up: remove search index of ${SITE}`,
      `- file ${entry("s4")}`,
      `clean-up: put what index has for ${SITE} in force`,
    ]);
  });

  test("that is bound to it no longer goes from what is in force", async () => {
    await withSite();
    const plan = await inventory.plan(plugins, configure(SITE, { bindings: { search: null } }));
    expect(doneOn(plan, "store1")).toEqual([
      `clean-up: remove what store1 kept for ${SITE} and keeps no longer`,
      `- file ${entry("s4")}`,
      "clean-up: put the configuration of index on store1 in force",
    ]);
  });

  test("leaves nothing in force when it was deleted while its server was away", async () => {
    const [server, key] = ["store1", entry("gone")];
    inventory.world.states(server).set(`file ${key}`, { value: "gone" });
    await inventory.engine.store.register.put([
      { server, type: "file", key, owner: "site/gone", shared: false, hash: "h" },
    ]);
    expect(doneOn(await inventory.plan(plugins, verify(server)), server)).toEqual([
      "clean-up: remove what 1 deleted site left on store1",
      `- file ${key}`,
      "clean-up: put the configuration of index on store1 in force",
    ]);
  });
});
