import * as z from "zod";
import type { PlatformRole } from "../src/contracts/platform.ts";
import type { Plugin, ServiceDefinition } from "../src/contracts/plugin.ts";
import type { AnyResourceType, Declared } from "../src/contracts/resource.ts";
import type { BindingRequest } from "../src/contracts/roles/backing.ts";
import type { SiteView } from "../src/contracts/views.ts";
import type { PlanData } from "../src/engine/planning/plan.ts";
import { planRequest, type EngineParts } from "../src/engine/planning/task-engine.ts";
import { Registry } from "../src/engine/plugins/registry.ts";
import { canonicalJson } from "../src/model/canonical.ts";
import { newId } from "../src/model/ids.ts";
import type { ServicePlace } from "../src/model/records.ts";
import { directory } from "../src/resources/directory.ts";
import { configureSite } from "../src/tasks/configure-site.ts";
import { removeSite } from "../src/tasks/delete-site.ts";
import { installSite } from "../src/tasks/install-site.ts";
import { verify, verifyAlias } from "../src/tasks/verify.ts";
import { FakeEngine, serverRecord } from "./fake-engine.ts";
import { FakeWorld, type FakeSpec } from "./fake-world.ts";

const options = { version: 1, schema: z.strictObject({}) };
export const declared = (type: string, path: string): Declared => ({ type, spec: { path } });

export const http = {
  webUser: "www",
  publication: { root: "/etc/web", statusEntry: () => ({ name: "status", content: "" }) },
  port: () => 80,
  dump: ["true"],
  servedNames: () => [],
  server: () => [directory({ path: "/etc/web" })],
  site: ({ id, domain }: SiteView) => [{ name: `${id}.conf`, content: domain }],
};
export const php = {
  protocol: "fastcgi",
  server: () => [directory({ path: "/etc/php" })],
  site: ({ id }: SiteView) => [declared("unit", `${id}.service`), declared("php-thing", `/php/${id}`)],
  socket: (id: string) => `/run/${id}`,
  sandbox: () => [],
  interpreter: () => ["php"],
};
export const db = {
  protocol: "sql",
  server: () => [directory({ path: "/etc/sql" })],
  site: ({ siteId }: BindingRequest) => [declared("database", siteId)],
  binding: () => ({}),
};

export function service(name: string, kind: string, role: unknown, types: readonly AnyResourceType[] = []): Plugin {
  const nothing = { packages: () => [], facts: () => ({}), problems: () => [] };
  const definition = { kind, type: name, options, role, ...nothing } as unknown as ServiceDefinition;
  return { name: `${name}-plugin`, contract: 1, services: [definition], resourceTypes: types };
}

export function platform(type: string, change: Partial<PlatformRole> = {}): Plugin {
  const role = {
    needs: { php: {}, db: { protocols: ["sql"] } },
    layout: { docroot: "web", sourceAt: "web", mountPoints: [] },
    ownFolders: () => [],
    confFolders: () => [],
    binds: () => [],
    webRules: () => ({}),
    application: {
      driver: { name: `${type}.php`, source: "" },
      seed: () => null,
      install: () => ({ argv: ["install"], input: {}, timeoutMs: 1_000 }),
      loginLink: () => ({ argv: ["login-link"], input: {}, timeoutMs: 1_000 }),
    },
    settings: ({ domain }: SiteView) => [{ path: "settings", content: domain }],
    ...change,
  } as unknown as PlatformRole;
  return { name: `${type}-plugin`, contract: 1, platforms: [{ type, options, siteOptions: options, role }] };
}

const CLEANED_UP = ["tree", "unix-user", "database", "account"];

/** One server with two platforms and three sites, everything as wanted, by plugins that a test may leave out or break. */
export class FakeInventory implements AsyncDisposable {
  readonly world: FakeWorld;
  readonly engine: FakeEngine;
  readonly plugins: readonly Plugin[];

  private constructor(world: FakeWorld, engine: FakeEngine) {
    this.world = world;
    this.engine = engine;
    this.plugins = [
      service("web", "http", http),
      service("fpm", "php", php, [this.resource("php-thing")]),
      service("sql", "db", db, [this.resource("database")]),
      platform("blog"),
      platform("shop"),
    ];
  }

  static async open(): Promise<FakeInventory> {
    const world = new FakeWorld();
    const inventory = new FakeInventory(world, await FakeEngine.open(world, []));
    const services = [
      { name: "http", kind: "http", type: "web" },
      { name: "php", kind: "php", type: "fpm" },
      { name: "db", kind: "db", type: "sql" },
    ].map((record) => ({ ...record, options: {}, optionsVersion: 1 }));
    await inventory.put("server", "web1", "web1", { ...serverRecord("web1"), services });
    for (const type of ["blog", "shop"]) {
      const release = {
        root: `/srv/${type}`,
        source: { path: "/source" },
        release: { digest: "d".repeat(64), version: "1" },
      };
      const common = { server: "web1", type, options: {}, optionsVersion: 1, managedBy: null };
      await inventory.put("platform", `p-${type}`, type, { id: `p-${type}`, name: type, ...common, ...release });
    }
    await Promise.all([inventory.site("s1", "p-blog"), inventory.site("s2", "p-shop"), inventory.site("s3", "p-shop")]);
    await inventory.carryOut(await inventory.plan(inventory.plugins, verify("web1")));
    return inventory;
  }

  /** A type of resource whose state is its spec. */
  resource(name: string): AnyResourceType {
    const address = (spec: unknown): string => {
      const { path, name: own, key } = spec as { path?: string; name?: string; key?: string };
      return path ?? own ?? key ?? "";
    };
    const type: AnyResourceType = {
      ...this.world.type(name, { removal: CLEANED_UP.includes(name) ? "clean-up" : "delete" }),
      key: address,
      desired: (spec: unknown) => ({ value: canonicalJson(spec) }),
      showSpec: (spec: FakeSpec) => canonicalJson(spec),
    };
    return type;
  }

  parts(loaded: readonly Plugin[]): EngineParts {
    const core = ["file", "directory", "tree", "unix-user", "unit"].map((name) => this.resource(name));
    return {
      ...this.engine.parts([verifyAlias, removeSite, installSite, configureSite]),
      registry: new Registry(loaded, core),
    };
  }

  async plan(loaded: readonly Plugin[], request: { readonly type: string }): Promise<PlanData> {
    return planRequest(this.parts(loaded), request, newId("t", 16), new AbortController().signal);
  }

  without(...names: readonly string[]): readonly Plugin[] {
    return this.plugins.filter(({ name }) => !names.includes(name.replace("-plugin", "")));
  }

  async put(kind: "server" | "platform" | "site", id: string, name: string, value: unknown): Promise<void> {
    const known = await this.engine.store.records.get(kind, id);
    await this.engine.store.records.put({ kind, id, name, value }, { expect: known?.version ?? 0, claims: [] });
  }

  async site(
    id: string,
    on: string,
    {
      http = "http",
      bindings = {},
      ...change
    }: {
      readonly optionsVersion?: number;
      readonly http?: string;
      readonly bindings?: Readonly<Record<string, ServicePlace>>;
    } = {},
  ): Promise<void> {
    const domain = `${id}.example.com`;
    const db = { server: "web1", service: "db" };
    const place = { platform: on, bindings: { http: { service: http }, php: { service: "php" }, db, ...bindings } };
    const common = { aliases: [], status: "installed", enabled: true, uid: 20_000, options: {}, optionsVersion: 1 };
    await this.put("site", id, domain, { id, domain, ...common, ...place, ...change });
  }

  /** As after a store was damaged: nobody finds it by its id or name. */
  async lose(kind: "server" | "platform", id: string): Promise<void> {
    const { records } = this.engine.store;
    const known = await records.get(kind, id);
    if (known === null) throw new Error(`there is no ${kind} ${id}`);
    const value = { ...(known.value as object), id: "lost", name: "lost" };
    await records.put({ kind, id, name: "lost", value }, { expect: known.version, claims: [] });
  }

  /** What a plan asks for stands, and is registered. */
  async carryOut({ actions }: PlanData): Promise<void> {
    for (const action of actions) {
      if (action.kind !== "ensure") continue;
      for (const { type, key, spec, owner, shared, after: hash } of action.changes) {
        this.world.states(action.server).set(`${type} ${key}`, { value: canonicalJson(spec) });
        await this.engine.store.register.put([{ server: action.server, type, key, owner, shared, hash }]);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
  }
}
