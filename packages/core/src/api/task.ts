import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ErrorCode } from "../errors/codes.ts";
import type { Events, HostwrightEvent } from "../engine/events.ts";
import { waitingOf } from "../engine/workers/take-leases.ts";
import { isReference } from "../model/references.ts";
import type { Resolution, TaskOutcome } from "../engine/workers/worker.ts";
import type { StateStore, StoredTask } from "../contracts/store.ts";
import { Secret } from "../model/secret.ts";
import type { SecretVault } from "../store/secrets.ts";
import type { Access } from "./access.ts";
import { objectOf } from "./policy-object.ts";

export interface TaskParts {
  readonly store: StateStore;
  /** Null where there is no key: secrets stay references. */
  readonly vault: SecretVault | null;
  readonly events: Events;
  readonly access: Access;
  resolve(taskId: string, how: Resolution): Promise<unknown>;
}

const FINISHED = ["succeeded", "undone", "needs-attention"];

/** Why a task does not run yet; see `Task.waiting`. */
export interface TaskWaiting {
  /** `worker`: it is queued. `leases`: a worker has it, but other tasks have what it needs. */
  readonly for: "worker" | "leases";
  /**
   * From 1 on. Of a queued task: among all queued ones in the order of submission. Of one that waits for leases: 1 when
   * only tasks that run are in its way, and one more for each task that waits in front of it for the same.
   */
  readonly position: number;
  /** Tasks in its way, those that run first, each with the scope that both need, `site/<id>`; empty while it is queued. */
  readonly blockedBy: readonly { readonly task: string; readonly scope: string }[];
}

/** A submitted task, wherever it is worked. */
export class Task {
  readonly id: string;
  readonly #parts: TaskParts;

  constructor(id: string, parts: TaskParts) {
    this.id = id;
    this.#parts = parts;
  }

  /**
   * Waits for the end; never rejects because the task failed (decisions.md D42). Secrets in the value are `Secret`s,
   * and references in the role `submit`.
   * @throws HW_NOT_FOUND when there is no such task.
   */
  async outcome(): Promise<TaskOutcome> {
    for await (const _event of this.#watch()) {
      const task = await this.#visible();
      if (!FINISHED.includes(task.state)) continue;
      const outcome = task.outcome as TaskOutcome;
      return { ...outcome, value: await this.#reveal(outcome.value) };
    }
    throw new HostwrightError("HW_INTERNAL", `The events of task ${this.id} ended.`);
  }

  /** The value of a task that succeeded. @throws the error that stopped it, with its residue. */
  async result(): Promise<Readonly<Record<string, unknown>>> {
    const outcome = await this.outcome();
    if (outcome.state === "succeeded") return outcome.value;
    throw outcomeError(this.id, outcome);
  }

  /** What happened to it after a cursor (default 0: all) and what will, until `signal` is aborted. */
  async *events(
    options: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<HostwrightEvent> {
    const { after = 0, signal } = options;
    await this.#visible();
    yield* this.#parts.events.after(after, { task: this.id, ...(signal === undefined ? {} : { signal }) });
  }

  /**
   * What it waits for at this moment; null when it runs or is finished. `task:waiting` events tell it while it waits for
   * leases. @throws HW_NOT_FOUND when there is no such task.
   */
  async waiting(): Promise<TaskWaiting | null> {
    const { tasks, leases } = this.#parts.store;
    await this.#visible();
    const position = await tasks.position(this.id);
    if (position !== null) return { for: "worker", position, blockedBy: [] };
    const blockers = await leases.waiting(this.id);
    return blockers === null ? null : { for: "leases", ...waitingOf(blockers) };
  }

  /**
   * Asks its worker, wherever it is, to stop it and undo what was done; a queued one ends at once. Returns before the
   * undo is over: `outcome()` waits for that. @throws HW_TASK_STATE when it is finished or past its commit row.
   */
  async cancel(): Promise<void> {
    const { tasks, records } = this.#parts.store;
    const task = await this.#visible();
    const object = await objectOf(records, task.request as Record<string, unknown>);
    await this.#parts.access.require("task:cancel", object);
    const outcome = cancelledOutcome(this.id);
    if (await tasks.move(this.id, ["queued"], "undone", { outcome, finishedAt: new Date().toISOString() })) {
      // No worker will tell those who wait for it.
      await this.#parts.events.emit(this.id, "task:finished", outcome);
      return;
    }
    if (await tasks.move(this.id, ["running"], "cancelling")) return;
    throw new HostwrightError(
      "HW_TASK_STATE",
      `Task ${this.id} can no longer be cancelled: it is finished or past its commit.`,
    );
  }

  /**
   * Decides for a task that needs attention. `retry` undoes once more what is left; `complete` takes it as done, though
   * nobody saw it so (a store restored from a backup): its records become what it planned, and verify finds what is
   * missing; `skip` takes it as mended by hand:
   * the task ends as `undone` and its names are free; `abandon` ends it too, but keeps its records, names and secrets.
   * The outcome is to be read anew afterwards. @throws HW_TASK_STATE unless it needs attention; HW_FORBIDDEN;
   * HW_PLUGIN_MISSING for a `retry` that the plugins here could not finish
   */
  async resolve(how: Resolution): Promise<void> {
    const task = await this.#visible();
    const object = await objectOf(this.#parts.store.records, task.request as Record<string, unknown>);
    await this.#parts.access.require("task:resolve", object);
    await this.#parts.resolve(this.id, how);
  }

  /** What the actor may not see is not found. */
  async #visible(): Promise<StoredTask> {
    const { store, access } = this.#parts;
    const task = await store.tasks.get(this.id);
    const seen =
      task !== null &&
      (await access.seesTask(task.actor, async () => objectOf(store.records, task.request as Record<string, unknown>)));
    if (task !== null && seen) return task;
    throw new HostwrightError("HW_NOT_FOUND", `There is no task "${this.id}".`);
  }

  /** Yields once at the start and once per event, and stops being asked when the consumer returns. */
  async *#watch(): AsyncGenerator<void> {
    const start = await this.#parts.store.events.last();
    yield;
    const stop = new AbortController();
    try {
      for await (const event of this.#parts.events.after(start, { task: this.id, signal: stop.signal })) {
        if (event.type === "task:finished") yield;
      }
    } finally {
      stop.abort();
    }
  }

  async #reveal(value: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    const { vault } = this.#parts;
    if (vault === null) return value;
    const entries = await Promise.all(
      Object.entries(value).map(async ([key, inner]) => {
        if (!isReference(inner)) return [key, inner] as const;
        const secrets = await vault.load([inner.id]);
        return [key, new Secret(secrets.get(inner.id) ?? "")] as const;
      }),
    );
    return Object.fromEntries(entries);
  }
}

function cancelledOutcome(id: string): TaskOutcome {
  const error = new HostwrightError("HW_CANCELLED", `Task ${id} was cancelled before it began. Nothing was changed.`);
  return { state: "undone", value: {}, error: error.toJSON(), residue: [] };
}

function outcomeError(id: string, outcome: TaskOutcome): HostwrightError {
  const { error, residue } = outcome;
  const code = (error?.["code"] ?? "HW_INTERNAL") as ErrorCode;
  const said = error?.["message"];
  const message = typeof said === "string" ? said : `Task ${id} failed.`;
  const left =
    residue.length === 0 ? "" : ` Left behind: ${residue.map((item) => `${item.key} on ${item.server}`).join(", ")}.`;
  return new HostwrightError(code, `${message}${left}`, {
    ...(typeof error?.["server"] === "string" ? { server: error["server"] } : {}),
    ...(typeof error?.["mend"] === "string" ? { mend: error["mend"] } : {}),
    ...(typeof error?.["output"] === "string" ? { output: error["output"] } : {}),
    retryable: error?.["retryable"] === true,
    data: { ...(error?.["data"] as Record<string, unknown> | undefined), task: id, state: outcome.state, residue },
  });
}
