import * as z from "zod";
import type { Operation } from "../src/contracts/operation.ts";
import type { OptionsDefinition, Plugin, ServiceDefinition } from "../src/contracts/plugin.ts";
import type { PlatformRole } from "../src/contracts/platform.ts";
import type { JournalStore, StateStore } from "../src/contracts/store.ts";
import type { SiteView } from "../src/contracts/views.ts";
import type { AnyResourceType } from "../src/contracts/resource.ts";
import { CONTRACT } from "../src/plugin-kit/contract.ts";
import { definePlatform } from "../src/plugin-kit/define-platform.ts";
import { Registry } from "../src/engine/plugins/registry.ts";
import type { Step } from "../src/contracts/steps.ts";
import { makeStoredPlan } from "../src/engine/workers/stored-plans.ts";
import type { AnyTaskType, PlainRequest } from "../src/contracts/task.ts";
import { defineTask } from "../src/plugin-kit/define-task.ts";
import { planRequest, type EngineParts } from "../src/engine/planning/task-engine.ts";
import type { Planning } from "../src/contracts/planning.ts";
import { Worker } from "../src/engine/workers/worker.ts";
import { HostwrightError } from "../src/errors/hostwright-error.ts";
import { newId } from "../src/model/ids.ts";
import { showText } from "../src/model/text.ts";
import { changedStore } from "./changed-store.ts";
import { FakeEngine, ensureStep, runStep, serverRecord } from "./fake-engine.ts";
import { FakeWorld } from "./fake-world.ts";

/** A process of an earlier start of the machine: nobody doubts that it is gone. */
const GONE = "1:1:00000000-0000-0000-0000-000000000000";

/** What a version of the plugin is like: how it renders, what it takes for options, which operations it still has. */
export interface PluginVersion {
  readonly version: 1 | 2;
  readonly operations: readonly number[];
  /** Of the resource type `thing`; default 1. */
  readonly typeVersion?: number;
}

export const V1: PluginVersion = { version: 1, operations: [1] };
export const V2: PluginVersion = { version: 2, operations: [1, 2] };
/** It forgot that there may be unfinished tasks. */
export const V2_ALONE: PluginVersion = { version: 2, operations: [2] };

const OPTIONS: Readonly<Record<1 | 2, OptionsDefinition>> = {
  1: { version: 1, schema: z.strictObject({ size: z.string() }) },
  2: {
    version: 2,
    schema: z.strictObject({ megabytes: z.int() }),
    migrate: (options: unknown) => ({ megabytes: Number.parseInt((options as { size: string }).size, 10) }),
  },
};

/** Counts the moments at which a worker may die, and lets it die at one of them; from then on it does nothing. */
export class Death {
  readonly #at: number;
  #moments = 0;

  constructor(at: number) {
    this.#at = at;
  }

  get came(): boolean {
    return this.#moments >= this.#at;
  }

  /** A worker that has lost its lease is like a dead one to all others: it neither undoes nor ends its task. */
  readonly moment = (): void => {
    this.#moments++;
    if (this.came) throw new HostwrightError("HW_LEASE_LOST", "dead");
  };

  /** Each write of the journal, before it and after it. */
  in(store: StateStore): StateStore {
    const around = async (write: () => Promise<void>): Promise<void> => {
      this.moment();
      await write();
      this.moment();
    };
    return changedStore(store, ({ journal }) => {
      const dying: JournalStore = {
        read: async (task) => journal.read(task),
        isCommitted: async (task) => journal.isCommitted(task),
        write: async (...args) => around(async () => journal.write(...args)),
        commit: async (...args) => around(async () => journal.commit(...args)),
      };
      return { journal: dying };
    });
  }
}

/** One store and one world, seen by instances that have loaded different versions of one plugin. */
export class TwoVersions implements AsyncDisposable {
  readonly world: FakeWorld;
  readonly engine: FakeEngine;
  /** Called while the operation `blog-copy` is at work. */
  onCopy: () => Promise<void> = async () => undefined;

  private constructor(world: FakeWorld, engine: FakeEngine) {
    this.world = world;
    this.engine = engine;
  }

  static async open(): Promise<TwoVersions> {
    const world = new FakeWorld();
    const engine = await FakeEngine.open(world, []);
    const [server, platform] = [serverRecord("web1"), { id: "p1", name: "p1", server: "web1", type: "blog" }];
    const release = { options: {}, optionsVersion: 1, root: "/p1", source: null, release: null, managedBy: null };
    const site = {
      id: "s1",
      domain: "a.example.com",
      aliases: [],
      platform: "p1",
      status: "installed",
      bindings: { http: { service: "http" } },
    };
    const stored = { ...site, options: { size: "64 MB" }, optionsVersion: 1 };
    const { records } = engine.store;
    const first = { expect: 0, claims: [] };
    await records.put({ kind: "server", id: "web1", name: "web1", value: server }, first);
    await records.put({ kind: "platform", id: "p1", name: "p1", value: { ...platform, ...release } }, first);
    await records.put({ kind: "site", id: "s1", name: site.domain, value: stored }, first);
    return new TwoVersions(world, engine);
  }

  /** Of an instance with that version of the plugin, or without it. */
  parts(plugin: PluginVersion | null): EngineParts {
    const file: AnyResourceType = this.world.type("file");
    const thing: AnyResourceType = { ...this.world.type("thing"), version: plugin?.typeVersion ?? 1 };
    const registry = new Registry(plugin === null ? [] : [this.#plugin(plugin, thing)], [file]);
    const tasks = [work(plugin?.version ?? 1), verify];
    return { ...this.engine.parts(tasks), registry, operations: registry.operations() };
  }

  worker(plugin: PluginVersion | null): Worker {
    return new Worker(this.parts(plugin), this.engine.events);
  }

  /** A worker process that dies at that moment of its work. */
  dying(plugin: PluginVersion, death: Death): Worker {
    const parts = this.parts(plugin);
    this.world.onEffect = this.world.afterEffect = death.moment;
    return new Worker({ ...parts, store: death.in(parts.store) }, this.engine.events, GONE);
  }

  async submit(request: PlainRequest, id: string = newId("t", 16), plan: unknown = null): Promise<string> {
    const common = { plan, actor: "system", key: null, timeoutMs: null, createdAt: new Date().toISOString() };
    return (await this.engine.store.tasks.submit({ id, type: request.type, request, ...common })).id;
  }

  /** Queues a plan that an instance with that version made. */
  async approve(plugin: PluginVersion, request: PlainRequest): Promise<string> {
    const plan = await makeStoredPlan(this.parts(plugin), request, new AbortController().signal);
    return this.submit(plan.request as PlainRequest, plan.task, { plan: plan.id, hash: plan.hash });
  }

  /** What a verify by that version would change: `~ /a: before -> after`. */
  async changes(plugin: PluginVersion): Promise<readonly string[]> {
    const parts = this.parts(plugin);
    const plan = await planRequest(parts, { type: "test:verify" }, newId("t", 16), new AbortController().signal);
    return plan.actions.flatMap((action) =>
      action.kind !== "ensure"
        ? [`run ${action.title}`]
        : action.changes.map(({ key, show }) => `${key}: ${show.before} -> ${show.after}`),
    );
  }

  /** Gives the server a service of the plugin, with options of that version. */
  async putService(optionsVersion: number): Promise<void> {
    const { records } = this.engine.store;
    const service = { name: "http", kind: "http", type: "blog-web", options: {}, optionsVersion };
    const value = { ...serverRecord("web1"), services: [service] };
    const { version = 0 } = (await records.get("server", "web1")) ?? {};
    await records.put({ kind: "server", id: "web1", name: "web1", value }, { expect: version, claims: [] });
  }

  async stranded(): Promise<readonly unknown[]> {
    const events = await this.engine.store.events.after(0);
    return events.filter(({ type }) => type === "task:stranded").map(({ payload }) => payload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
  }

  #plugin({ version, operations }: PluginVersion, thing: AnyResourceType): Plugin {
    const role = {
      settings: ({ options }: SiteView) => [{ path: "a", content: `v${version} ${JSON.stringify(options)}` }],
    } as unknown as PlatformRole;
    const options = { version: 1, schema: z.strictObject({}) };
    const service = { kind: "http", type: "blog-web", options } as unknown as ServiceDefinition;
    const platform = definePlatform({
      name: "blog-plugin",
      contract: CONTRACT,
      type: "blog",
      role,
      options,
      siteOptions: OPTIONS[version],
      resourceTypes: [thing],
      operations: operations.flatMap((number) => [this.#copy(number), this.#check(number)]),
    });
    return { ...platform, services: [service] };
  }

  #copy(version: number): Operation<{ readonly text: string }> {
    const states = this.world.states("web1");
    return {
      name: "blog-copy",
      version,
      run: async (_context, { text }) => {
        this.world.onEffect("web1", "copy", "/c");
        await this.onCopy();
        states.set("copy /c", { value: `${text} by copy ${version}` });
        this.world.afterEffect("web1", "copy", "/c");
      },
      probe: async () => (states.has("copy /c") ? "done" : "absent"),
      undo: async () => {
        this.world.onEffect("web1", "copy", "/c");
        states.delete("copy /c");
      },
    };
  }

  #check(version: number): Operation<{ readonly fails: boolean }> {
    const run = async (_context: unknown, { fails }: { readonly fails: boolean }): Promise<void> => {
      if (fails) throw new HostwrightError("HW_PROBE_FAILED", "no answer", { server: "web1" });
    };
    return { name: "blog-check", version, run, probe: async () => "absent", undo: async () => undefined };
  }
}

async function rendered(context: Planning): Promise<string> {
  const site = await context.inventory.site("s1");
  const [first] = context.inventory.siteDefinition(site).role.settings({ options: site.options } as SiteView);
  return showText(first?.content ?? "");
}

function files(value: string): readonly [Step, Step, Step] {
  const step = (type: string, key: string, phase: Step["phase"] = "prepare"): Step =>
    ensureStep("web1", [{ type, spec: { key, value }, owner: "site/s1" }], { phase });
  return [step("file", "/a"), step("thing", "/b"), step("file", "/late", "clean-up")];
}

const ABOUT = ["site/s1"];

/** Its plans ask for the operations of the version that makes them. */
function work(version: number): AnyTaskType {
  return defineTask({
    type: "test:work",
    version: 1,
    input: z.strictObject({ fails: z.boolean().default(false) }),
    value: z.strictObject({}),
    request: () => ({}),
    title: () => "work",
    subject: () => ({}),
    plan: async (context: Planning, { fails }) => {
      const text = await rendered(context);
      const [a, b, late] = files(text);
      const steps = [
        a,
        runStep("web1", "blog-copy", { version, input: { text } }),
        b,
        runStep("web1", "blog-check", { version, input: { fails } }),
        late,
      ];
      return { title: "work", about: ABOUT, steps, value: {} };
    },
  });
}

const verify: AnyTaskType = defineTask({
  type: "test:verify",
  version: 1,
  input: z.strictObject({}),
  value: z.strictObject({}),
  request: () => ({}),
  title: () => "verify",
  subject: () => ({}),
  plan: async (context: Planning) => ({
    title: "verify",
    about: ABOUT,
    steps: files(await rendered(context)),
    value: {},
  }),
});
