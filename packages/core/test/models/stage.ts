import { inflateRawSync } from "node:zlib";
import type { StateStore } from "../../src/contracts/store.ts";
import { Events } from "../../src/engine/events.ts";
import { RetryPolicy } from "../../src/engine/sessions/retry-policy.ts";
import { PlanLines } from "../../src/engine/planning/seal-plan.ts";
import { type EngineParts } from "../../src/engine/planning/task-engine.ts";
import type { Action, PlanData } from "../../src/engine/planning/plan.ts";
import { makeStoredPlan } from "../../src/engine/workers/stored-plans.ts";
import { Registry } from "../../src/engine/plugins/registry.ts";
import { ServerPool } from "../../src/engine/sessions/server-pool.ts";
import { heldParts } from "../../src/engine/workers/held-parts.ts";
import { Worker } from "../../src/engine/workers/worker.ts";
import { isHostwrightError } from "../../src/errors/hostwright-error.ts";
import { canonicalJson } from "../../src/model/canonical.ts";
import { SYSTEM_CLOCK } from "../../src/model/time.ts";
import { Secret } from "../../src/model/secret.ts";
import { loadKeyring } from "../../src/store/keyring.ts";
import { SecretBox } from "../../src/store/sealing.ts";
import { SecretVault } from "../../src/store/secrets.ts";
import { JOURNAL, type StoredJournalRow } from "../../src/store/tables/journal.ts";
import { TASK_PLANS } from "../../src/store/tables/tasks.ts";
import { MemoryKernel } from "../memory-store/memory-kernel.ts";
import { memoryStore } from "../memory-store/memory-store.ts";
import type { MemoryTables } from "../memory-store/memory-tables.ts";
import { SERVERS, type Case } from "./case.ts";
import { Chaos, Life } from "./chaos.ts";
import { expectedOf, type Expected } from "./expected.ts";
import { MODEL_TYPES, modelOperation } from "./model-types.ts";
import { modelTask, SECRET, serverRecord } from "./model-task.ts";
import { ModelHost, ModelServer, type Effect } from "./model-world.ts";
import { mortalStore } from "./mortal-store.ts";

const BOX = new SecretBox(loadKeyring({ key: new Uint8Array(32) }));
const REGISTRY = new Registry([], MODEL_TYPES);
const TRIES = 4;

/** Tries again at once and a few times only: no clock is asked, so that a seed gives the same run again. */
class FewTries extends RetryPolicy {
  #left = TRIES;

  override async try<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isHostwrightError(error) || !error.retryable || --this.#left <= 0) throw error;
      }
    }
  }
}

/** Replaces parts of the engine by broken ones, to see that the model finds them. */
export interface Sabotage {
  readonly store?: (store: StateStore) => StateStore;
  readonly parts?: (parts: EngineParts) => EngineParts;
}

/** The store, the servers and the workers of one case, and what was seen to be wrong. */
export class Stage {
  readonly plan: Case;
  readonly expected: Expected;
  readonly wrong: string[] = [];
  readonly chaos: Chaos;
  readonly #kernel = new MemoryKernel();
  readonly tables: MemoryTables = this.#kernel.tables;
  readonly lives = new Map<string, Life>();
  readonly store: StateStore = memoryStore(this.#kernel, (holder) => this.lives.get(holder)?.dead !== false);
  readonly hosts: readonly ModelHost[];
  /** What somebody changed by hand, by `server place`. */
  readonly meddled = new Map<string, string>();
  /** What the task lists as left, likewise. */
  left: ReadonlySet<string> = new Set();
  readonly #sabotage: Sabotage;
  #opened: { readonly sealed: string; readonly plan: PlanData } | null = null;

  private constructor(plan: Case, sabotage: Sabotage) {
    this.plan = plan;
    this.expected = expectedOf(plan);
    this.chaos = new Chaos(plan.disturbances);
    this.hosts = SERVERS.map((name) => new ModelHost(name, this.wrong));
    this.#sabotage = sabotage;
  }

  static async open(plan: Case, sabotage: Sabotage = {}): Promise<Stage> {
    const stage = new Stage(plan, sabotage);
    for (const [at, value] of stage.expected.before) stage.set(at, value);
    // What follows another has taken up what stands: it is set after it.
    for (const [at, value] of stage.expected.before) stage.set(at, value);
    await stage.#fill();
    return stage;
  }

  host(name: string): ModelHost | undefined {
    return this.hosts.find((host) => host.name === name);
  }

  set(at: string, value: string): void {
    const [server = "", type = "", name = ""] = at.split(" ");
    const things = this.host(server)?.things;
    things?.set(`${type} ${name}`, { value, taken: type === "unit" ? things.get(`file ${name}`)?.value : undefined });
  }

  hash(type: string, value: string): string {
    return BOX.fingerprint(`${type}\n${canonicalJson({ value })}`);
  }

  /** Another worker process. */
  hire(): { readonly life: Life; readonly worker: Worker; readonly parts: EngineParts } {
    const life = new Life(`w${this.lives.size}`);
    this.lives.set(life.holder, life);
    const mortal = mortalStore(this.store, this.chaos, life);
    const store = this.#sabotage.store?.(mortal) ?? mortal;
    const task = modelTask(this.plan, (id) => heldParts(used, id, life.holder));
    const parts: EngineParts = {
      registry: REGISTRY,
      store,
      vault: new SecretVault(store.secrets, BOX),
      box: BOX,
      pool: new ServerPool(
        async ({ name }) => this.#server(name, life),
        async () => new Secret(""),
      ),
      tasks: new Map([[task.type, task]]),
      operations: new Map([["work@1", modelOperation(this.wrong) as never]]),
      uids: { from: 20_000, to: 20_999 },
      home: "hub:/srv/state",
      clock: SYSTEM_CLOCK,
      planLifeMs: 3_600_000,
      makePlan: makeStoredPlan,
      retryPolicy: () => new FewTries(),
    };
    const used = this.#sabotage.parts?.(parts) ?? parts;
    return { life, worker: new Worker(used, new Events(store.events), life.holder), parts: used };
  }

  /** The plan of the task as the store has it now. */
  planOf(task: string): PlanData | null {
    const sealed = JSON.parse(this.tables.find(TASK_PLANS, { task })?.plan ?? "null") as string | null;
    if (sealed === null) return null;
    if (this.#opened?.sealed !== sealed) {
      this.#opened = { sealed, plan: openNow(task, sealed) };
    }
    return this.#opened.plan;
  }

  /** As it stands in the store. */
  journalOf(task: string): readonly StoredJournalRow[] {
    const rows = this.tables.all(JOURNAL).filter((row) => row.task === task);
    return rows.toSorted((a, b) => a.number - b.number);
  }

  /** Is the effect of an action that the journal says is under way? */
  watch(task: string): void {
    const judge = ({ server, place }: Effect): void => {
      const covers = this.#underWay(task).some(
        (action) =>
          action.server === server &&
          (action.kind === "run"
            ? place.startsWith(`part ${(action.input as { name: string }).name}-`)
            : action.kind === "ensure" && action.changes.some((change) => `${change.type} ${change.key}` === place)),
      );
      if (!covers) this.wrong.push(`${place} on ${server} was changed, which the journal does not intend`);
    };
    for (const host of this.hosts) host.onEffect = judge;
  }

  /**
   * Actions of which an intent stands in the journal, and no outcome after it; or one that left something, for which a
   * person is asked: what was on its way to a server that could not be asked may still arrive there.
   */
  #underWay(task: string): readonly Action[] {
    const open = new Map<number, boolean>();
    for (const { action, phase, state, output } of this.journalOf(task)) {
      const left = phase === "undo" && output.startsWith("[") && output !== "[]";
      open.set(action, state === "begun" || left);
    }
    const actions = this.planOf(task)?.actions ?? [];
    return actions.filter((_action, index) => open.get(index) === true);
  }

  #server(name: string, life: Life): ModelServer {
    const index = this.hosts.findIndex((host) => host.name === name);
    const host = this.hosts[index];
    if (host === undefined) throw new Error(`no host ${name}`);
    return new ModelServer(host, index, this.chaos, life);
  }

  async #fill(): Promise<void> {
    const { records, register, secrets } = this.store;
    for (const name of SERVERS) {
      await records.put({ kind: "server", id: name, name, value: serverRecord(name) }, { expect: 0, claims: [] });
    }
    await register.put(
      [...this.expected.registerBefore].map(([row, { shared, value }]) => {
        const [server = "", type = "", key = "", owner = ""] = row.split(" ");
        return { server, type, key, owner, shared, hash: value === null ? null : this.hash(type, value) };
      }),
    );
    if (this.plan.kind === "install") return;
    const site = { kind: "site", id: "s1", name: "old.test", value: { id: "s1", status: "installed" } } as const;
    await records.put(site, { expect: 0, claims: [] });
    await secrets.add(SECRET, BOX.seal("x", SECRET));
  }
}

/** As `openPlan`, at once: effects are judged while they take place. */
function openNow(task: string, sealed: string): PlanData {
  const lines = new PlanLines();
  const packed = Buffer.from(BOX.open(sealed, `plan/${task}`), "base64");
  for (const line of inflateRawSync(packed).toString().trimEnd().split("\n")) lines.take(line);
  return lines.plan();
}
