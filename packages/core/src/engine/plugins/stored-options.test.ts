import { describe, expect, test } from "vitest";
import * as z from "zod";
import { serverRecord } from "../../../test/fake-engine.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import { FakeEngine } from "../../../test/fake-engine.ts";
import type { OptionsDefinition, PlatformDefinition, ServiceDefinition } from "../../contracts/plugin.ts";
import type { PlatformRecord, ServiceRecord, SiteRecord } from "../../model/records.ts";
import { LoadedInventory } from "../planning/loaded-inventory.ts";
import { Registry } from "./registry.ts";
import { readPlatform, readService, readSite } from "./stored-options.ts";

/** Version 3 of options that had another name in version 1 and another unit in version 2. */
const options: OptionsDefinition = {
  version: 3,
  schema: z.strictObject({ port: z.int(), seconds: z.int().default(60) }),
  migrate: (stored, from) => {
    const { listen, port, minutes } = stored as { listen?: number; port?: number; minutes?: number };
    if (from === 1 && listen === 0) throw new Error("a port of 0 was never meant");
    return { port: port ?? listen, ...(minutes === undefined ? {} : { seconds: minutes * 60 }) };
  },
};
const { migrate: _migrate, ...plain } = options;
const web = { kind: "http", type: "web", options } as unknown as ServiceDefinition;
const plainWeb = { kind: "http", type: "plain", options: plain } as unknown as ServiceDefinition;
const blog = { type: "blog", options, siteOptions: options } as unknown as PlatformDefinition;
const registry = new Registry([{ name: "a-plugin", contract: 1, services: [web, plainWeb], platforms: [blog] }], []);

const service = (optionsVersion: number, stored: unknown, type = "web"): ServiceRecord => ({
  name: "http",
  kind: "http",
  type,
  options: stored,
  optionsVersion,
});
const read = (...args: Parameters<typeof service>): ServiceRecord =>
  readService(registry, serverRecord("web1"), service(...args));
const refusal = (code: string, ...words: readonly string[]): unknown => {
  const message = expect.stringMatching(new RegExp(words.map((word) => `(?=.*${word})`).join("")));
  return expect.objectContaining({ code, message });
};

describe("stored options", () => {
  test("of the present version are taken as they stand", () => {
    const record = service(3, { port: 80, seconds: 5 });
    expect(readService(registry, serverRecord("web1"), record)).toBe(record);
  });

  test("of each older version are migrated, parsed and given the present number", () => {
    expect(read(1, { listen: 80 })).toEqual(service(3, { port: 80, seconds: 60 }));
    expect(read(2, { port: 81, minutes: 2 })).toEqual(service(3, { port: 81, seconds: 120 }));
  });

  test("go through the schema alone where the plugin has no migration", () => {
    expect(read(1, { port: 80 }, "plain")).toEqual(service(3, { port: 80, seconds: 60 }, "plain"));
    expect(() => read(1, { listen: 80 }, "plain")).toThrow(refusal("HW_OPTIONS_INCOMPATIBLE", "listen"));
  });

  test("of a version that the plugin cannot know are refused: plugin, record, versions and remedy are named", () => {
    expect(() => read(4, { port: 80 })).toThrow(
      refusal("HW_OPTIONS_INCOMPATIBLE", "a-plugin", "http of web1", "version 4", "up to version 3", "left as it is"),
    );
    expect(() => read(4, {})).toThrow(expect.objectContaining({ remedy: expect.stringContaining("a-plugin") }));
  });

  test("are refused when the migration fails, or gives what the schema does not take", () => {
    const words = ["a-plugin", "http of web1", "version 1", "to version 3"];
    expect(() => read(1, { listen: 0 })).toThrow(refusal("HW_OPTIONS_INCOMPATIBLE", ...words, "never meant"));
    expect(() => read(1, { listen: "hush" })).toThrow(refusal("HW_OPTIONS_INCOMPATIBLE", ...words, "port"));
    expect(() => read(1, { listen: "hush" })).not.toThrow(expect.objectContaining({ message: /hush/ }));
  });

  test("of platforms and sites are read in the same way", () => {
    const platform = {
      id: "p1",
      name: "p1",
      type: "blog",
      options: { listen: 1 },
      optionsVersion: 1,
    } as PlatformRecord;
    const site = {
      id: "s1",
      domain: "a.example",
      bindings: { http: { service: "http" } },
      options: { listen: 2 },
      optionsVersion: 1,
    } as SiteRecord;
    expect(readPlatform(registry, platform)).toMatchObject({ options: { port: 1 }, optionsVersion: 3 });
    expect(readSite(registry, platform, site)).toMatchObject({ options: { port: 2 }, optionsVersion: 3 });
    const newer = { ...site, optionsVersion: 9 };
    expect(() => readSite(registry, platform, newer)).toThrow(refusal("HW_OPTIONS_INCOMPATIBLE", "site a.example"));
  });

  test("of an absent plugin are refused by the name of what it brings", () => {
    expect(() => read(1, {}, "gone")).toThrow(refusal("HW_PLUGIN_MISSING", "web1", '"gone"'));
    const platform = { id: "p1", name: "p1", type: "gone", optionsVersion: 1 } as PlatformRecord;
    expect(() => readPlatform(registry, platform)).toThrow(refusal("HW_PLUGIN_MISSING", "p1", '"gone"'));
  });
});

test("a record that no plugin can use is there, and refused only by what asks for its definition", async () => {
  await using engine = await FakeEngine.open(new FakeWorld(), []);
  const { records } = engine.store;
  const services = [service(1, { listen: 80 }), { ...service(1, {}, "gone"), name: "other" }];
  const value = { ...serverRecord("web1"), services };
  await records.put({ kind: "server", id: "web1", name: "web1", value }, { expect: 0, claims: [] });
  const platforms = [
    { id: "p1", name: "p1", server: "web1", type: "blog", options: { listen: 1 }, optionsVersion: 1 },
    { id: "p2", name: "p2", server: "web1", type: "gone", options: {}, optionsVersion: 1 },
  ];
  for (const platform of platforms)
    await records.put({ kind: "platform", ...platform, value: platform }, { expect: 0, claims: [] });
  const sites = [
    { id: "s1", domain: "a.example", platform: "p1", status: "installed", options: { listen: 2 }, optionsVersion: 1 },
    { id: "s2", domain: "b.example", platform: "p1", status: "installed", options: {}, optionsVersion: 9 },
    { id: "s3", domain: "c.example", platform: "p2", status: "installed", options: {}, optionsVersion: 1 },
  ];
  for (const site of sites) {
    const value = { aliases: [], bindings: { http: { service: "http" } }, ...site };
    await records.put({ kind: "site", id: site.id, name: site.domain, value }, { expect: 0, claims: [] });
  }

  const inventory = await LoadedInventory.load(records, registry);
  const server = inventory.server("web1");
  const read = await Promise.all(["s1", "s2", "s3"].map(async (id) => inventory.site(id)));
  expect(read.map(({ options: now, optionsVersion }) => [now, optionsVersion])).toEqual([
    [{ port: 2, seconds: 60 }, 3],
    [{}, 9],
    [{}, 1],
  ]);
  expect(inventory.services(server).map(({ record }) => record)).toEqual([service(3, { port: 80, seconds: 60 })]);
  expect(inventory.unfitServices(server).map(({ code }) => code)).toEqual(["HW_PLUGIN_MISSING"]);
  expect(() => inventory.service(server, "http", "other")).toThrow(refusal("HW_PLUGIN_MISSING", "web1"));
  const [first, second, third] = read as [SiteRecord, SiteRecord, SiteRecord];
  expect(inventory.siteDefinition(first)).toBe(blog);
  expect(() => inventory.siteDefinition(second)).toThrow(refusal("HW_OPTIONS_INCOMPATIBLE", "b.example"));
  expect(() => inventory.siteDefinition(third)).toThrow(refusal("HW_PLUGIN_MISSING", "Platform p2"));
  const draft = {
    ...sites[0],
    bindings: { http: { service: "http" } },
    options: { listen: 7 },
  } as unknown as SiteRecord;
  expect(inventory.readDraft(draft)).toMatchObject({ options: { port: 7 }, optionsVersion: 3 });
});
