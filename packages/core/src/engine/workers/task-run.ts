import { errorFromJson, errorJson, HostwrightError } from "../../errors/hostwright-error.ts";
import type { RecordRemoval, RegisterChanges, StoredTask } from "../../contracts/store.ts";
import { withOutputs, type Outputs } from "../../model/outputs.ts";
import { LoadedInventory } from "../planning/loaded-inventory.ts";
import type { Events } from "../events.ts";
import { dropFence, type Fence } from "../sessions/fence.ts";
import { Journal } from "../actions/journal.ts";
import { RetryPolicy } from "../sessions/retry-policy.ts";
import type { PlanData } from "../planning/plan.ts";
import { serversOf } from "../planning/servers-of.ts";
import { requireAssumed } from "../planning/assumed-records.ts";
import { requireSets } from "../planning/assumed-sets.ts";
import { publishFor } from "../actions/publication.ts";
import { cancelError } from "../actions/cancel-error.ts";
import { Runner, type RunEnd } from "../actions/runner.ts";
import type { Undone } from "../actions/runner-parts.ts";
import type { StoredOutcome } from "./stored-outcome.ts";
import { Session } from "../sessions/session.ts";
import { hold } from "../actions/undoing.ts";
import type { EngineParts } from "../planning/task-engine.ts";
import { publicationOf } from "../plugins/publication-of.ts";
import { isApi } from "../../model/records.ts";
import { ownScope } from "./work.ts";
import { timeText } from "../../model/time.ts";

export interface TaskEnd extends RunEnd {
  readonly plan: PlanData | null;
  readonly value: Readonly<Record<string, unknown>>;
}

/** How a plan is gone on with: from its beginning or the journal's end, or backwards. */
export type Direction = "forward" | "back";

export interface TaskRunParts {
  /** Of a worker that has the task: see `heldParts`. */
  readonly engine: EngineParts;
  readonly events: Events;
}

export interface RunHow {
  readonly direction: Direction;
  /** Another worker has begun it. */
  readonly resumed: boolean;
  /** Hand it over at the next boundary of the journal. */
  readonly closing: AbortSignal;
  /** As it was when it was taken up. */
  readonly task: Pick<StoredTask, "state" | "outcome">;
}

/** One plan under its leases: reserved names, the run or its resumption, commit, what comes after it. */
export class TaskRun {
  readonly #engine: EngineParts;
  readonly #events: Events;
  readonly #plan: PlanData;

  constructor(parts: TaskRunParts, plan: PlanData) {
    this.#engine = parts.engine;
    this.#events = parts.events;
    this.#plan = plan;
  }

  /** @throws HandedOver when it was told to at a boundary of the journal */
  async run(token: number, signal: AbortSignal, { direction, resumed, closing, task }: RunHow): Promise<TaskEnd> {
    const { registry, store, vault, pool } = this.#engine;
    const committed = await store.journal.isCommitted(this.#plan.task);
    // Whoever is gone on with was found so, and each action finds it out for itself.
    if (!committed && direction === "forward" && !resumed) await this.#requireAssumed();
    if (!committed && direction === "forward") await this.#reserve();
    const servers = this.#plan.actions.flatMap(serversOf);
    const inventory = await LoadedInventory.ofServers(store.records, registry, servers);
    const identity = await store.identity();
    const fence: Fence = {
      scope: this.#scope,
      ...identity,
      home: this.#engine.home,
      token,
      latest: async () => ({ epoch: (await store.identity()).epoch, token: await store.leases.lastToken() }),
    };
    await using session = new Session({
      pool,
      load: async (needed) => vault.load(needed.map(({ id }) => id)),
      fence,
      signal,
    });
    const runner = this.#runner(session, inventory, closing);
    const end = committed
      ? await runner.finish()
      : direction === "back"
        ? await runner.undo(reasonOf(this.#plan, task))
        : await runner.run(async () => this.commit());
    const undone = !end.committed && end.residue.length === 0;
    // What another worker has sent may still arrive: then its fence is all that keeps it out.
    if (!resumed && (undone || end.committed))
      await this.#dropFences(end.committed ? this.#plan.commit.deleteRecords : this.#plan.release, inventory);
    return { ...end, plan: this.#plan, value: end.committed ? this.#value(runner.outputs) : {} };
  }

  /** What it has for itself alone: of what it shares another one may have a higher token at any time. */
  get #scope(): string {
    return this.#plan.leases.find(({ mode }) => mode === "exclusive")?.scope ?? ownScope(this.#plan.task).scope;
  }

  /** @throws HW_RESOURCE_CHANGED */
  async #requireAssumed(): Promise<void> {
    const { registry, store } = this.#engine;
    await requireAssumed(store.records, this.#plan);
    await requireSets({ records: store.records, registry }, this.#plan);
  }

  /** A worker that died may have reserved already. */
  async #reserve(): Promise<void> {
    const { records } = this.#engine.store;
    for (const change of this.#plan.reserve) {
      const present = await records.get(change.kind, change.id);
      const reserved = present?.version === change.expect + 1 && present.name === change.name;
      if (!reserved) await records.put(change, change);
    }
  }

  #runner(session: Session, inventory: LoadedInventory, closing: AbortSignal): Runner {
    const { registry, store, vault, box, operations } = this.#engine;
    const { task } = this.#plan;
    return new Runner(
      {
        registry,
        register: store.register,
        journal: new Journal(store.journal, box, this.#engine.clock),
        events: this.#events,
        session,
        closing,
        operations,
        fingerprint: (text) => box.fingerprint(text),
        server: (id) => inventory.server(id),
        keep: async (name, { label, value }) => {
          const id = `task/${task}/${name}`;
          await vault.put(id, value);
          return { ref: "secret", id, label };
        },
        retryPolicy: () => this.#retryPolicy(),
        undoing: async (reason) => this.#undoing(reason),
        publish: async (server, service, using, publishing) => {
          const publication = publicationOf(registry, server, service);
          const target = await using.target(server);
          const common = { events: this.#events, register: store.register, plan: this.#plan };
          await publishFor({ ...common, server, service, publication, target }, publishing);
        },
      },
      this.#plan,
    );
  }

  /** Whoever goes on with the undo knows why it is. */
  async #undoing(reason: (cancelled: boolean) => unknown): Promise<Undone> {
    const { tasks, journal } = this.#engine.store;
    const { task } = this.#plan;
    // A cancel may come between two of these.
    for (const state of ["cancelling", "running", "cancelling"] as const) {
      const cancelled = state === "cancelling";
      const why = reason(cancelled);
      if (await tasks.move(task, [state], "undoing", { outcome: { error: errorJson(why) } })) return { cancelled };
    }
    return (await journal.isCommitted(task)) ? "committed" : { cancelled: false };
  }

  #value(outputs: Outputs): Readonly<Record<string, unknown>> {
    return { ...this.#plan.value, ...(withOutputs(this.#plan.outputs ?? {}, outputs) as object) };
  }

  /** The same for a task that somebody takes as done: what its actions registered as they went is registered with it. */
  async commitAsDone(): Promise<void> {
    const changes = this.#plan.actions.flatMap((action) =>
      action.kind === "ensure" && action.phase === "prepare"
        ? action.changes.map((change) => ({ ...hold(change), server: action.server, hash: change.after }))
        : [],
    );
    const [put, remove] = [changes.filter(({ hash }) => hash !== null), changes.filter(({ hash }) => hash === null)];
    await this.commit({ put, remove });
  }

  /** The commit row with all that becomes true with it. */
  async commit(further: RegisterChanges = { put: [], remove: [] }): Promise<void> {
    const { store } = this.#engine;
    const { task, commit, register } = this.#plan;
    const put = register.filter((row) => !row.gone).map(({ gone: _gone, ...row }) => row);
    const remove = register
      .filter((row) => row.gone)
      .map(({ gone: _gone, hash: _hash, shared: _shared, ...row }) => row);
    const all = { put: [...put, ...further.put], remove: [...remove, ...further.remove] };
    const changes = { ...commit, register: all };
    await store.journal.commit(task, timeText(this.#engine.clock), changes);
    // It is committed: nothing that fails from here on may undo it.
    await this.#events.emit(task, "task:committed", {});
  }

  #retryPolicy(): RetryPolicy {
    return this.#engine.retryPolicy?.() ?? new RetryPolicy();
  }

  /** A fence that stays because its server is away harms nobody: its scope is never used again. */
  async #dropFences(gone: readonly RecordRemoval[], inventory: LoadedInventory): Promise<void> {
    const ids = [...new Set(this.#plan.actions.flatMap(serversOf))];
    const servers = ids.filter((id) => !isApi(inventory.server(id)));
    // The work's own connection may be lost, when only the undo's newer one knows that the server is back.
    const policy = this.#retryPolicy();
    const own = ownScope(this.#plan.task).scope;
    const scopes = [...gone.map(({ kind, id }) => `${kind}/${id}`), ...(this.#scope === own ? [own] : [])];
    const drops = scopes.flatMap((scope) =>
      servers.map(async (server) =>
        policy.try(async () => {
          using held = await this.#engine.pool.hold(inventory.server(server));
          await dropFence(held.server, scope);
        }),
      ),
    );
    await Promise.allSettled(drops);
  }
}

/** Why it goes back: what its first worker said, or a cancel that came before that worker died. */
function reasonOf(plan: PlanData, { state, outcome }: RunHow["task"]): unknown {
  const said = (outcome as Pick<StoredOutcome, "error"> | null)?.error ?? null;
  if (said !== null) return errorFromJson(said);
  if (state === "cancelling") {
    const left = "What it had done was taken back.";
    return cancelError(AbortSignal.abort(), { what: plan.title, where: "while it had no worker", left }, undefined);
  }
  return new HostwrightError("HW_INTERRUPTED", `${plan.title}: its worker died, and it was taken back.`, {
    retryable: true,
  });
}
