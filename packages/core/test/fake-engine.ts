import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Operation } from "../src/contracts/operation.ts";
import type { JournalStore, RegisteredResource, StateStore } from "../src/contracts/store.ts";
import { deepFreeze } from "../src/model/canonical.ts";
import { Events } from "../src/engine/events.ts";
import { Journal } from "../src/engine/actions/journal.ts";
import { RetryPolicy } from "../src/engine/sessions/retry-policy.ts";
import type { PlanData } from "../src/engine/planning/plan.ts";
import { planSteps } from "../src/engine/planning/plan-steps.ts";
import type { AnyResourceType } from "../src/contracts/resource.ts";
import { makeStoredPlan } from "../src/engine/workers/stored-plans.ts";
import { Registry } from "../src/engine/plugins/registry.ts";
import { Runner, type RunEnd } from "../src/engine/actions/runner.ts";
import { ServerPool } from "../src/engine/sessions/server-pool.ts";
import { Session } from "../src/engine/sessions/session.ts";
import { NOTHING, type EngineParts } from "../src/engine/planning/task-engine.ts";
import type { Owned, EnsureStep, RunStep, Step, TransferStep } from "../src/contracts/steps.ts";
import type { Plugin } from "../src/contracts/plugin.ts";
import type { RunnerParts } from "../src/engine/actions/runner-parts.ts";
import { newId } from "../src/model/ids.ts";
import type { ServerRecord } from "../src/model/records.ts";
import type { Server } from "../src/model/server.ts";
import { SYSTEM_CLOCK } from "../src/model/time.ts";
import { Secret } from "../src/model/secret.ts";
import { processHolder } from "../src/store/holder.ts";
import { loadKeyring } from "../src/store/keyring.ts";
import { SecretBox } from "../src/store/sealing.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { SecretVault } from "../src/store/secrets.ts";
import type { AnyTaskType } from "../src/contracts/task.ts";
import { FakeServer, type FakeWorld } from "./fake-world.ts";

const NEVER = new AbortController().signal;

export function serverRecord(name: string): ServerRecord {
  return { id: name, name, connect: { type: "local" }, addresses: [], services: [], managedBy: null };
}

export function ensureStep(server: string, items: readonly Owned[], change: Partial<EnsureStep> = {}): EnsureStep {
  const step = {
    kind: "ensure",
    title: `ensure on ${server}`,
    server: serverRecord(server),
    phase: "prepare",
  } as const;
  return { ...step, items, ...change };
}

export function transferStep(from: string, to: string, change: Partial<TransferStep> = {}): TransferStep {
  const end = { kind: "program", properties: [] } as const;
  return {
    kind: "transfer",
    title: `carry to ${to}`,
    server: serverRecord(to),
    phase: "prepare",
    from: { ...end, server: serverRecord(from), argv: ["/bin/echo", "some"] },
    to: { ...end, argv: ["/bin/cat"] },
    ...change,
  };
}

export function runStep(server: string, operation: string, change: Partial<RunStep> = {}): RunStep {
  const step = { kind: "run", title: operation, server: serverRecord(server), phase: "prepare", operation } as const;
  return { ...step, input: {}, when: "always", ...change };
}

/** What publishes, none of it by default; and its servers. */
interface WebParts {
  readonly plugins?: readonly Plugin[];
  readonly publish?: RunnerParts["publish"];
  /** Opens a server. Default: one without a machine. */
  readonly server?: (name: string) => Server;
}

/** Planner, runner, journal, events and a real store over a world in memory: what an engine is but servers. */
export class FakeEngine implements AsyncDisposable {
  readonly world: FakeWorld;
  readonly registry: Registry;
  readonly store: StateStore;
  readonly box: SecretBox;
  readonly events: Events;
  readonly operations = new Map<string, Operation>();
  readonly secrets = new Map<string, string>();
  readonly pool: ServerPool;
  readonly #folder: string;
  readonly #publish: RunnerParts["publish"];

  private constructor(
    world: FakeWorld,
    types: readonly AnyResourceType[],
    folder: string,
    store: StateStore,
    { plugins = [], publish = async () => undefined, server = (name) => new FakeServer(name) }: WebParts,
  ) {
    this.pool = new ServerPool(
      async (record) => server(record.name),
      async () => new Secret(""),
    );
    this.world = world;
    this.registry = new Registry(plugins, types);
    this.#publish = publish;
    this.store = store;
    this.box = new SecretBox(loadKeyring({ stateDir: folder }));
    this.events = new Events(store.events);
    this.#folder = folder;
  }

  static async open(
    world: FakeWorld,
    types: readonly AnyResourceType[],
    { store, ...web }: WebParts & { readonly store?: StateStore } = {},
  ): Promise<FakeEngine> {
    const folder = mkdtempSync(join(tmpdir(), "hostwright-engine-"));
    return new FakeEngine(world, types, folder, store ?? (await openSqliteStore({ directory: folder })), web);
  }

  operation(name: string, parts: Partial<Operation>): void {
    const nothing = { run: async () => null, probe: async () => "partial" as const, undo: async () => undefined };
    this.operations.set(`${name}@1`, { name, version: 1, ...nothing, ...parts });
  }

  session(signal: AbortSignal = NEVER): Session {
    const load = async (needed: readonly { readonly id: string }[]): Promise<Map<string, string>> =>
      new Map(needed.flatMap(({ id }) => (this.secrets.has(id) ? [[id, this.secrets.get(id) ?? ""] as const] : [])));
    return new Session({ pool: this.pool, load, fence: null, signal });
  }

  async plan(...steps: readonly Step[]): Promise<PlanData> {
    await using session = this.session();
    const planned = await planSteps(
      {
        registry: this.registry,
        register: this.store.register,
        session,
        fingerprint: (text) => this.box.fingerprint(text),
        pendingPublication: async () => ({ waits: false, quarantined: [] }),
        version: () => undefined,
      },
      steps,
    );
    return deepFreeze({ ...NOTHING, ...planned, ...planCommon() });
  }

  /** Runs a plan to its end; the commit registers what stands already, as the worker's does. */
  async run(
    plan: PlanData,
    options: {
      readonly journal?: JournalStore;
      readonly signal?: AbortSignal;
      readonly commit?: () => Promise<void>;
    } = {},
  ): Promise<RunEnd> {
    await using session = this.session(options.signal);
    const runner = new Runner(
      {
        registry: this.registry,
        register: this.store.register,
        journal: new Journal(options.journal ?? this.store.held(plan.task, processHolder()).journal, this.box),
        events: this.events,
        session,
        operations: this.operations,
        fingerprint: (text) => this.box.fingerprint(text),
        server: serverRecord,
        publish: this.#publish,
        undoing: async () => ({ cancelled: false }),
        closing: new AbortController().signal,
        retryPolicy: () => new RetryPolicy(),
        keep: async (name, { label, value }) => {
          this.secrets.set(name, value);
          return { ref: "secret", id: name, label };
        },
      },
      plan,
    );
    await this.#begin(plan);
    return await runner.run(async () => {
      await options.commit?.();
      await this.store.register.put(plan.register.filter((row) => !row.gone).map(({ gone: _gone, ...row }) => row));
      await this.store.register.remove(plan.register.filter((row) => row.gone));
    });
  }

  /** Plans and runs; gives what it ended with. */
  async carryOut(...steps: readonly Step[]): Promise<RunEnd> {
    return this.run(await this.plan(...steps));
  }

  /** All that a worker works with, with these task types. */
  parts(tasks: readonly AnyTaskType[]): EngineParts {
    const { registry, store, box, pool, operations } = this;
    return {
      registry,
      store,
      box,
      pool,
      operations,
      vault: new SecretVault(store.secrets, box),
      tasks: new Map(tasks.map((type) => [type.type, type])),
      uids: { from: 20_000, to: 20_999 },
      home: "hub:/srv/state",
      clock: SYSTEM_CLOCK,
      planLifeMs: 60_000,
      makePlan: makeStoredPlan,
    };
  }

  async registered(server: string): Promise<readonly RegisteredResource[]> {
    return this.store.register.onServer(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.events.close();
    await this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #begin(plan: PlanData): Promise<void> {
    // Run again, it is gone on with.
    if ((await this.store.tasks.get(plan.task)) !== null) return;
    const submission = {
      type: "test",
      request: {},
      plan: null,
      actor: "system",
      key: null,
      timeoutMs: null,
      createdAt: plan.createdAt,
    };
    await this.store.tasks.submit({ id: plan.task, ...submission });
    await this.store.tasks.move(plan.task, ["queued"], "running");
    await this.store.leases.acquire(plan.task, processHolder(), [{ scope: `site/${plan.task}`, mode: "exclusive" }]);
  }
}

function planCommon(): Pick<
  PlanData,
  "id" | "task" | "hash" | "request" | "title" | "createdAt" | "expiresAt" | "leases" | "value"
> {
  const at = new Date().toISOString();
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  return {
    id: newId("p", 16),
    task: newId("t", 16),
    hash: "",
    request: {},
    title: "test",
    createdAt: at,
    expiresAt,
    leases: [],
    value: {},
  };
}
