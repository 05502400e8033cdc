import type { Target } from "../contracts/resource.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { expect, onTestFinished, test } from "vitest";
import { plainPlugin } from "../../test/plain-plugin.ts";
import type { Plugin } from "../contracts/plugin.ts";
import { loadPlugins } from "../engine/plugins/load-plugins.ts";
import { Registry } from "../engine/plugins/registry.ts";
import { createHostwright } from "../hostwright.ts";
import { api, local } from "../model/records.ts";
import { secret } from "../model/secret.ts";
import { verify } from "../tasks/verify.ts";

const KIND = { name: "dns", version: 1, title: "name", role: "backing" } as const;
const options = { version: 1, schema: z.strictObject({}) };
const role = {
  protocol: "dns",
  server: () => [{ type: "dns-record", spec: { name: "a" } }],
  site: () => [],
  binding: () => ({}),
};
const seen: string[] = [];
const dns = (more: object = {}): Plugin =>
  ({
    name: "dns",
    contract: 1,
    kinds: [KIND],
    services: [
      {
        kind: "dns",
        type: "dns",
        options,
        packages: () => [],
        facts: () => ({}),
        problems: () => [],
        role: { ...role, ...more },
      },
    ],
    resourceTypes: [
      {
        name: "dns-record",
        schema: z.unknown(),
        rank: 1,
        removal: "delete",
        key: ({ name }: { readonly name: string }) => name,
        desired: (spec: unknown) => spec,
        async read(target: Target) {
          seen.push(target.credentials?.reveal() ?? "none");
          return new Map();
        },
        identity: (state: unknown) => state,
        apply: async () => undefined,
        showSpec: () => "",
        showState: () => "",
      },
    ],
  }) as never;

function folder(): string {
  const stateDir = mkdtempSync(join(tmpdir(), "hostwright-review-"));
  onTestFinished(() => rmSync(stateDir, { recursive: true }));
  return stateDir;
}

test("credentials of an API that another process puts anew are taken by the next work", async () => {
  const stateDir = folder();
  await using worker = await createHostwright({ stateDir, plugins: [dns()] });
  await using shell = await createHostwright({ stateDir, plugins: [dns()] });
  const put = { name: "dns", services: [{ kind: "dns", type: "dns", options: {} }] };
  await shell.servers.put({ ...put, connect: api(secret("first")) });
  await worker.plan(verify("dns"));
  expect(seen.splice(0)).toContain("first");
  await shell.servers.put({ ...put, connect: api(secret("second")) });
  await worker.plan(verify("dns"));
  expect(new Set(seen.splice(0))).toEqual(new Set(["second"]));
});

test("a kind's services may have more than it asks for", () => {
  expect(() => loadPlugins([dns({ zones: () => [] })])).not.toThrow();
});

test("a plugin that brings a kind of core's is blamed, and no other one", () => {
  const bad = { name: "bad", contract: 1, kinds: [{ ...KIND, name: "http" }] };
  expect(() => new Registry(loadPlugins([plainPlugin, bad]), [])).toThrow(
    'bad and @hostwright/core both bring the kind "http"',
  );
});

test("a server is put though the record of one of its sites is damaged", async () => {
  const stateDir = folder();
  await using hw = await createHostwright({ stateDir, plugins: [plainPlugin] });
  const web = { kind: "http", type: "web", options: {} };
  await hw.servers.put({ name: "web1", connect: local(), services: [web] });
  const platform = await hw.platforms.put({ name: "p1", server: "web1", type: { type: "blog", options: {} } });
  const db = new DatabaseSync(join(stateDir, "store.db"));
  const value = JSON.stringify({
    id: "s1",
    domain: "a.example",
    aliases: [],
    status: "installed",
    platform: platform.id,
    bindings: null,
  });
  db.prepare("INSERT INTO records (kind, id, name, version, value) VALUES ('site', 's1', 'a.example', 1, ?)").run(
    value,
  );
  db.close();
  await expect(hw.servers.put({ name: "web1", services: [{ ...web, name: "other" }] })).resolves.toMatchObject({
    services: [{ name: "other" }],
  });
});
