import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { serverRecord } from "../../test/fake-engine.ts";
import { declared, FakeInventory, platform, service } from "../../test/fake-inventory.ts";
import type { AnyResourceType } from "../contracts/resource.ts";
import type { BindingRequest } from "../contracts/roles/backing.ts";
import type { Plugin } from "../contracts/plugin.ts";
import type { PlanData } from "../engine/planning/plan.ts";
import { isHostwrightError } from "../errors/hostwright-error.ts";
import type { ServerRecord, SiteRecord } from "../model/records.ts";
import { configure } from "./configure-site.ts";
import { install } from "./install-site.ts";
import { verify } from "./verify.ts";

let inventory: FakeInventory;
const SITE = "s4.example.com";

function lucene(removal: "delete" | "clean-up" = "delete", kind = "search"): Plugin {
  const role = {
    protocol: "lucene",
    server: () => [],
    site: ({ siteId }: BindingRequest) => [declared("index", `/index/${siteId}`)],
    binding: ({ siteId, password }: BindingRequest) => ({ protocol: "lucene", host: "x", user: siteId, password }),
  };
  const kinds = [{ name: kind, version: 1, title: "search index", role: "backing" } as const];
  const index = { ...inventory.resource("index"), removal } as AnyResourceType;
  return { ...service("lucene", kind, role, [index]), kinds };
}

const withNeeds = (needs: object, ...more: Plugin[]): readonly Plugin[] => [
  ...inventory.without("blog"),
  platform("blog", { needs } as never),
  ...more,
];

beforeEach(async () => {
  inventory = await FakeInventory.open();
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
  const web = (await inventory.engine.store.records.get("server", "web1"))?.value as ServerRecord;
  await inventory.put("server", "web1", "web1", { ...web, addresses: ["192.0.2.1"] });
  const search = { name: "index", kind: "search", type: "lucene", options: {}, optionsVersion: 1 };
  const sql = { name: "db", kind: "db", type: "sql", options: {}, optionsVersion: 1 };
  for (const [n, name] of ["store1", "store2"].entries())
    await inventory.put("server", name, name, {
      ...serverRecord(name),
      addresses: [`192.0.2.${n + 2}`],
      services: [search, sql],
    });
});

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

const REQUIRED = { php: {}, db: { protocols: ["sql"] }, search: {} };
const OPTIONAL = { php: {}, db: { protocols: ["sql"] }, search: { optional: true } };

describe("a kind that a platform needs", () => {
  test("is given by configure to a site of before it was needed", async () => {
    const plugins = withNeeds(REQUIRED, lucene());
    const plan = await inventory.plan(plugins, configure("s1.example.com", { bindings: { search: "store1" } }));
    expect(doneOn(plan, "store1").join()).toContain("+ index /index/s1");
  });

  test("lacking is told as such by a plan of the site, and not as a TypeError of its plugin", async () => {
    const plugins = [
      ...inventory.without("blog"),
      platform("blog", {
        needs: REQUIRED,
        settings: ({ bindings }) => [{ path: "settings", content: bindings["search"]?.host ?? "" }],
      }),
      lucene(),
    ];
    const error: unknown = await inventory.plan(plugins, verify("s1.example.com")).catch((e: unknown) => e);
    expect(isHostwrightError(error), String(error)).toBe(true);
  });

  test("may be had from another server", async () => {
    const plugins = withNeeds(REQUIRED, lucene());
    await inventory.site("s4", "p-blog", { bindings: { search: { server: "store1", service: "index" } } });
    const plan = await inventory.plan(plugins, configure(SITE, { bindings: { search: "store2" } }));
    expect(doneOn(plan, "store2").join()).toContain("+ index /index/s4");
  });
});

describe("what is `clean-up`, of a kind that is taken away,", () => {
  test("goes after the commit", async () => {
    const plugins = withNeeds(OPTIONAL, lucene("clean-up"));
    await inventory.site("s4", "p-blog", { bindings: { search: { server: "store1", service: "index" } } });
    await inventory.carryOut(await inventory.plan(plugins, verify(SITE)));
    const plan = await inventory.plan(plugins, configure(SITE, { bindings: { search: null } }));
    expect(doneOn(plan, "store1")).toEqual([
      `clean-up: remove what store1 kept for ${SITE} and keeps no longer`,
      "- index /index/s4",
    ]);
  });

  test("goes also from a server that keeps its database", async () => {
    const plugins = withNeeds(OPTIONAL, lucene("clean-up"));
    const bindings = { search: { server: "store1", service: "index" }, db: { server: "store1", service: "db" } };
    await inventory.site("s4", "p-blog", { bindings });
    await inventory.carryOut(await inventory.plan(plugins, verify(SITE)));
    const plan = await inventory.plan(plugins, configure(SITE, { bindings: { search: null } }));
    expect(doneOn(plan, "store1").join()).toContain("- index /index/s4");
  });
});

test("a binding whose plugin is gone is not taken away while its things stand", async () => {
  const plugins = withNeeds(OPTIONAL, lucene());
  await inventory.site("s4", "p-blog", { bindings: { search: { server: "store1", service: "index" } } });
  await inventory.carryOut(await inventory.plan(plugins, verify(SITE)));
  const without = plugins.filter(({ name }) => name !== "lucene-plugin");
  await expect(inventory.plan(without, configure(SITE, { bindings: { search: null } }))).rejects.toMatchObject({
    code: "HW_PLUGIN_MISSING",
  });
});

describe("a damaged record", () => {
  test.each([
    ["configure", () => configure("s1.example.com")],
    ["install again", () => install("s1.example.com", { platform: "blog" })],
    ["verify", () => verify("s1.example.com")],
  ])("without bindings is refused with a code: %s", async (_what, request) => {
    for (const bindings of [undefined, null, {}, { http: null }, { http: { service: "http" }, db: null }]) {
      const row = await inventory.engine.store.records.get("site", "s1");
      await inventory.put("site", "s1", "s1.example.com", { ...(row?.value as SiteRecord), bindings });
      const error: unknown = await inventory.plan(inventory.plugins, request()).catch((e: unknown) => e);
      if (error instanceof Error)
        expect.soft(isHostwrightError(error), `${JSON.stringify(bindings)}: ${error.message}`).toBe(true);
    }
  });
});

describe("configure", () => {
  test("of http is refused, also where it is to go", async () => {
    await expect(
      inventory.plan(inventory.plugins, configure("s1.example.com", { bindings: { http: null } })),
    ).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  });
  test("of what no platform names", async () => {
    for (const bindings of [
      { toString: "web1" },
      { constructor: "web1" },
      { valueOf: null },
      { php: null },
      { db: null },
      { db: "" },
      { db: "web1:" },
      { search: "a:b:c" },
    ]) {
      const error: unknown = await inventory
        .plan(inventory.plugins, configure("s1.example.com", { bindings }))
        .catch((e: unknown) => e);
      expect.soft(isHostwrightError(error), JSON.stringify(bindings)).toBe(true);
    }
  });

  test("a kind named constructor that the platform does not need", async () => {
    const plugins = [...inventory.plugins, lucene("delete", "constructor")];
    const search = { name: "index", kind: "constructor", type: "lucene", options: {}, optionsVersion: 1 };
    await inventory.put("server", "store3", "store3", {
      ...serverRecord("store3"),
      addresses: ["192.0.2.9"],
      services: [search],
    });
    await expect(
      inventory.plan(plugins, install("new.example.com", { platform: "blog", bindings: { constructor: "store3" } })),
    ).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  });
});
