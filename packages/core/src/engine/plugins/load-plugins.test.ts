import { describe, expect, test } from "vitest";
import * as z from "zod";
import { plainHttp, plainPlatform, plainPlugin } from "../../../test/plain-plugin.ts";
import type { Needs } from "../../contracts/platform.ts";
import type { Plugin } from "../../contracts/plugin.ts";
import { definePlatform } from "../../plugin-kit/define-platform.ts";
import { defineHttpService } from "../../plugin-kit/define-service.ts";
import { coreOperations } from "../../operations/core-operations.ts";
import { coreResourceTypes } from "../../resources/core-types.ts";
import { loadPlugins } from "./load-plugins.ts";

function refusal(given: readonly unknown[], ...words: readonly string[]): void {
  for (const word of words) {
    const message: unknown = expect.stringContaining(word);
    const remedy: unknown = expect.stringMatching(/^[A-Z].*\.$/);
    expect(() => loadPlugins(given)).toThrow(expect.objectContaining({ code: "HW_PLUGIN_INVALID", message, remedy }));
  }
}

const { kind: _kind, ...http } = plainHttp;
const built = { ...http, name: "acme-web", contract: 1 };
const withNeeds = (needs: Needs): Plugin => ({
  ...plainPlugin,
  platforms: [{ ...plainPlatform, role: { ...plainPlatform.role, needs } }],
});
const NODE = { name: "node", version: 1, title: "Node.js", role: "runtime" } as const;
const does = (): readonly never[] => [];
const nodeRole = {
  protocol: "http",
  server: does,
  site: does,
  socket: does,
  sandbox: does,
  interpreter: does,
  publication: { ...plainHttp.role.publication, status: { command: [] } },
};
const withRole = (role: object): Plugin => ({ ...plainPlugin, services: [{ ...plainHttp, role } as never] });

test("whole plugins are taken as they are, core's own resource types and operations among them", () => {
  const whole: Plugin = { ...plainPlugin, resourceTypes: coreResourceTypes, operations: coreOperations };
  const blog = definePlatform({ ...plainPlatform, name: "acme-blog", contract: 1 });
  const given = [whole, defineHttpService(built), blog];
  expect(loadPlugins(given)).toEqual(given);
});

test("a platform whose sites may have what no loaded plugin brings is taken", () => {
  const given = [withNeeds({ php: {}, search: { optional: true } })];
  expect(loadPlugins(given)).toEqual(given);
});

describe("what is no plugin is named by its place", () => {
  test.each([
    [
      "a missing export",
      undefined,
      "plugins[1] is undefined: its package has no such export. List what its package exports by name.",
    ],
    ["null", null, "plugins[1] is no plugin (null)"],
    ["a package's name", "@acme/web", "plugins[1] is no plugin (string)"],
    ["a factory", () => plainPlugin, "plugins[1] is a function. Call it"],
    ["an import that was not awaited", Promise.resolve(plainPlugin), "plugins[1] is a promise. Await it."],
    [
      "a module",
      { web: plainPlugin, version: "1" },
      "plugins[1] is a whole module, not a plugin. List what it exports by name: web.",
    ],
    ["some object", {}, "plugins[1] is no plugin: it has no name"],
  ])("%s", (_what, value, words) => refusal([plainPlugin, value], words));
});

test("another contract is refused with both versions, whatever else it holds", () => {
  refusal([{ ...plainPlugin, contract: 0, later: 1 }], "test-plugin is built for contract 0, this core has 1. Install");
  refusal([{ name: "acme-web" }], "acme-web is built for contract undefined");
});

describe("a field that is not what the contract says is named with its plugin", () => {
  const { port: _port, ...portless } = plainHttp.role;
  test.each<readonly [string, unknown, readonly string[]]>([
    [
      "wanting",
      withRole(portless),
      ["test-plugin: services[0] (http web) role.port is not a function. Fix the plugin"],
    ],
    [
      "unknown in a role",
      withRole({ ...plainHttp.role, http3: true }),
      ['services[0] (http web) role has "http3", which'],
    ],
    ["unknown in the plugin", { ...plainPlugin, servises: [] }, ['test-plugin: it has "servises", which']],
    ["of a wrong kind", withRole({ ...plainHttp.role, dump: "nginx -T" }), ["role.dump expected array"]],
    [
      "a publication of a kind of its own that nobody can ask",
      { ...plainPlugin, kinds: [NODE], services: [{ ...plainHttp, kind: "node", role: nodeRole } as never] },
      ["services[0] (node web) role.publication.status.command is empty"],
    ],
    ["a need of an unknown kind", withNeeds({ php: {}, search: {} }), ['role.needs has "search", a kind that']],
    ["a runtime that is optional", withNeeds({ php: { optional: true } }), ["role.needs has php as optional"]],
    ["two runtimes", { ...withNeeds({ php: {}, node: {} }), kinds: [NODE] }, ["has several runtimes: php, node"]],
    ["a web server as a need", withNeeds({ php: {}, http: {} }), ["has http, which every platform has"]],
    ["a database that nothing reaches", withNeeds({ db: {} }), ["has db, and no runtime that would reach it"]],
    ["an application that nothing runs", withNeeds({}), ["has no php, which runs the application's driver"]],
    [
      "an unknown kind",
      { ...plainPlugin, services: [{ ...plainHttp, kind: "htp" }] },
      ['services[0] (htp web) kind is "htp", which no loaded plugin brings'],
    ],
    [
      "another version of a kind",
      { ...plainPlugin, services: [{ ...plainHttp, kindVersion: 2 }] },
      ['services[0] (http web) kind is version 2 of "http", and version 1 is loaded'],
    ],
    [
      "a kind of its own with the contract of core's tasks",
      { ...plainPlugin, kinds: [{ ...NODE, role: "http" }] },
      ["kinds[0] (node) role is neither runtime nor backing"],
    ],
    [
      "a service that is not what its kind asks for",
      { ...plainPlugin, kinds: [NODE], services: [{ ...plainHttp, kind: "node" }] },
      ["services[0] (node web) role.protocol", "services[0] (node web) role.sandbox is not a function"],
    ],
    [
      "in an operation",
      { ...plainPlugin, operations: [{ ...coreOperations[0], name: "copy", version: 0.5 }] },
      ["operations[0] (copy) version is not a whole number"],
    ],
    [
      "no schema",
      { ...plainPlugin, platforms: [{ ...plainPlatform, siteOptions: { version: 1, schema: {} } }] },
      ["platforms[0] (blog) siteOptions.schema is not a zod schema"],
    ],
  ])("%s", (_what, plugin, words) => refusal([plugin], ...words));

  test("also where a builder was given it", () => {
    refusal(
      [defineHttpService({ ...built, unwantdUnits: () => [] } as never)],
      'services[0] (http web) has "unwantdUnits"',
    );
    const { facts: _facts, ...factless } = built;
    refusal([defineHttpService(factless as never)], "acme-web: services[0] (http web) facts is not a function");
    const blog = { ...plainPlatform, name: "acme-blog", contract: 1 };
    refusal([definePlatform({ ...blog, siteOption: 1 } as never)], 'platforms[0] (blog) has "siteOption"');
  });
});

test("a plugin that throws when it is loaded is named with what it said", () => {
  const throwing = {
    ...plainPlugin,
    get services(): never {
      throw new Error("no licence");
    },
  };
  refusal([throwing], "test-plugin threw when it was loaded: no licence. Fix the plugin");
  const nameless = {
    get name(): never {
      throw new Error("no name today");
    },
  };
  refusal([plainPlugin, nameless], "plugins[1] threw when it was loaded: no name today");
});

describe("defaults of options", () => {
  const withOptions = (schema: z.ZodType): Plugin => ({
    ...plainPlugin,
    services: [{ ...plainHttp, options: { version: 1, schema } }],
  });
  test("that do not fit their own schema are refused by field", () => {
    const wrong = "test-plugin: the options of http web do not take their own defaults (port:";
    refusal([withOptions(z.strictObject({ port: z.int().default("http" as never) }))], wrong);
    refusal([withOptions(z.strictObject({ port: z.int().max(9).prefault(80) }))], wrong);
    refusal([withOptions(z.strictObject({ port: z.int().max(9).prefault(80), name: z.string() }))], wrong);
    const platform = {
      ...plainPlatform,
      siteOptions: { version: 1, schema: z.strictObject({ a: z.int().prefault(0.5) }) },
    };
    refusal([{ ...plainPlugin, platforms: [platform] }], "the options of sites on blog do not");
  });
  test("may be wanting", () => {
    const union = z.discriminatedUnion("by", [
      z.strictObject({ by: z.literal("a") }),
      z.strictObject({ by: z.literal("b") }),
    ]);
    for (const schema of [z.strictObject({ name: z.string() }), union, z.strictObject({ by: union })])
      expect(() => loadPlugins([withOptions(schema)])).not.toThrow();
  });
});

describe("what a plugin requires", () => {
  const needing = (...requires: NonNullable<Plugin["requires"]>): Plugin => ({
    name: "acme-shop",
    contract: 1,
    requires,
  });
  test("is another plugin, a kind of service or one type of it, loaded before or after it", () => {
    const needs = needing({ plugin: "test-plugin" }, { service: "http" }, { service: "http", type: "web" });
    expect(loadPlugins([needs, plainPlugin])).toHaveLength(2);
    expect(loadPlugins([plainPlugin, needs])).toHaveLength(2);
  });
  test("and is missed by name", () => {
    refusal(
      [plainPlugin, needing({ plugin: "@acme/cart" })],
      "acme-shop needs @acme/cart. List @acme/cart among the plugins too.",
    );
    refusal(
      [plainPlugin, needing({ service: "php" })],
      "acme-shop needs a service of kind php, and no plugin brings it",
    );
    refusal([plainPlugin, needing({ service: "http", type: "h2o" })], 'acme-shop needs the http service "h2o"');
    refusal([needing("php" as never)], "acme-shop: requires[0] is neither { plugin } nor { service, type }");
  });
});
