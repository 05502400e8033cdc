import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { Operation } from "../../contracts/operation.ts";
import type { PlatformDefinition, Plugin, ServiceDefinition } from "../../contracts/plugin.ts";
import type { AnyResourceType } from "../../contracts/resource.ts";
import { definePlatform } from "../../plugin-kit/define-platform.ts";
import { defineHttpService } from "../../plugin-kit/define-service.ts";
import { Registry } from "./registry.ts";

const options = { version: 1, schema: z.strictObject({ size: z.int().default(3) }) };
const service = { kind: "http", type: "web", options } as unknown as ServiceDefinition;
const platform = { type: "blog", options } as unknown as PlatformDefinition;
const type = { name: "thing" } as unknown as AnyResourceType;
const plugin = (name: string, parts: Partial<Plugin> = {}): Plugin => ({ name, contract: 1, ...parts });

function refusal(plugins: readonly Plugin[], ...words: string[]): void {
  for (const word of words) {
    expect(() => new Registry(plugins, [type])).toThrow(
      expect.objectContaining({
        code: "HW_PLUGIN_INVALID",
        message: expect.stringContaining(word),
        remedy: expect.stringMatching(/^[A-Z].*\.$/),
      }),
    );
  }
}

test("finds what plugins bring", () => {
  const registry = new Registry([plugin("one", { services: [service], platforms: [platform] })], [type]);
  expect(registry.service("http", "web")).toBe(service);
  expect(registry.platform("blog")).toBe(platform);
  expect(registry.platforms()).toEqual([platform]);
  expect(registry.resourceType("thing")).toBe(type);
});

test("what nobody brings is named together with what is there", () => {
  const registry = new Registry([plugin("one", { services: [service], platforms: [platform] })], []);
  const thrown = (call: () => unknown, code: string, word: string): void =>
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringContaining(word) }));
  thrown(() => registry.service("http", "apache"), "HW_SERVICE_UNKNOWN", "Loaded: http web");
  thrown(() => registry.service("db", "web"), "HW_SERVICE_UNKNOWN", 'db "web"');
  thrown(() => registry.platform("shop"), "HW_PLATFORM_UNKNOWN", "Loaded: blog");
  thrown(() => new Registry([], []).platform("shop"), "HW_PLATFORM_UNKNOWN", "Loaded: none");
  thrown(() => registry.resourceType("gone"), "HW_PLUGIN_MISSING", '"gone"');
});

test("the same plugin twice, or two that bring the same, are refused with their names", () => {
  refusal([plugin("one"), plugin("one")], "one is given twice");
  const pair = (parts: Partial<Plugin>): Plugin[] => [plugin("one", parts), plugin("two", parts)];
  refusal(pair({ services: [service] }), "two and one", 'service "http:web"');
  refusal(pair({ platforms: [platform] }), 'platform "blog"');
  const search = { name: "search", version: 1, title: "search index", role: "backing" } as const;
  refusal(pair({ kinds: [search] }), "two and one", 'kind "search"');
  refusal([plugin("one", { kinds: [{ ...search, name: "db" }] })], "one and @hostwright/core", 'kind "db"');
  refusal([plugin("one", { resourceTypes: [type] })], "one and @hostwright/core", 'resource type "thing"');
});

test("one type may serve several kinds", () => {
  const other = { ...service, kind: "php" } as ServiceDefinition;
  expect(new Registry([plugin("one", { services: [service, other] })], []).service("php", "web")).toBe(other);
});

test("options are parsed by their definition, with its defaults, and refused by their field", () => {
  const registry = new Registry([], []);
  expect(registry.options(service, undefined, "options")).toEqual({ size: 3 });
  expect(() => registry.options(service, { size: "big" }, "options of http web")).toThrow(
    expect.objectContaining({
      code: "HW_INPUT_INVALID",
      message: expect.stringContaining("options of http web: size:"),
    }),
  );
});

describe("operations", () => {
  const operation = (name: string, version: number): Operation => ({ name, version }) as unknown as Operation;
  const core = [operation("probe", 1)];
  const load = (...plugins: readonly Plugin[]): Registry => new Registry(plugins, [], core);

  test("of core and of plugins are found by name and version, several of a name side by side", () => {
    const [first, second] = [operation("copy", 1), operation("copy", 2)];
    const registry = load(plugin("one", { operations: [first, second] }));
    expect([...registry.operations()]).toEqual([
      ["probe@1", core[0]],
      ["copy@1", first],
      ["copy@2", second],
    ]);
    expect(registry.pluginOf(second)).toBe("one");
    expect(registry.pluginOf(operation("copy", 2))).toBeNull();
  });

  test.each([
    [
      [plugin("one", { operations: [operation("copy", 1), operation("copy", 1)] })],
      'one brings the operation "copy@1" twice',
    ],
    [
      [plugin("one", { operations: [operation("copy", 1)] }), plugin("two", { operations: [operation("copy", 2)] })],
      'two and one both bring the operation "copy"',
    ],
    [
      [plugin("one", { operations: [operation("probe", 2)] })],
      'one and @hostwright/core both bring the operation "probe"',
    ],
  ])("that cannot be told apart are refused at start", (plugins, words) => {
    expect(() => load(...plugins)).toThrow(
      expect.objectContaining({ code: "HW_PLUGIN_INVALID", message: expect.stringContaining(words) }),
    );
  });

  test("and resource types go through the typed builders of plugins", () => {
    const given = { name: "x", contract: 1, type: "x", resourceTypes: [type], operations: [operation("copy", 1)] };
    const built = definePlatform({ ...given, options, siteOptions: options } as never);
    expect(built).toMatchObject({ resourceTypes: [type], operations: given.operations });
    expect(defineHttpService({ ...given, options } as never)).toMatchObject({ operations: given.operations });
  });
});
