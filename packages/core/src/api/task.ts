import type { Clock } from "../model/time.ts";
import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Events, HostwrightEvent } from "../engine/events.ts";
import { hasEnded, type TaskEnds } from "../engine/task-ends.ts";
import type { Resolution } from "../engine/workers/resolve.ts";
import type { StoredOutcome } from "../engine/workers/stored-outcome.ts";
import { waitingOf } from "../engine/workers/turn.ts";
import { parseInput } from "../model/parse.ts";
import { isReference } from "../model/references.ts";
import type { StateStore, StoredTask, TaskState } from "../contracts/store.ts";
import type { TaskValue } from "../contracts/task.ts";
import type { EngineParts } from "../engine/planning/task-engine.ts";
import { Secret } from "../model/secret.ts";
import type { Reference } from "../model/text.ts";
import type { SecretVault } from "../store/secrets.ts";
import type { Access } from "./access.ts";
import { cancelTask } from "../engine/workers/cancel-task.ts";
import { objectOf } from "../engine/planning/policy-object.ts";
import { NOT_BEGUN, progressAfter, type TaskProgress } from "./task-progress.ts";
import { outcomeOf, type TaskOutcome } from "./task-outcome.ts";

export interface TaskParts {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly tasks: EngineParts["tasks"];
  /** Null where there is no key: secrets stay references. */
  readonly vault: SecretVault | null;
  readonly events: Events;
  readonly ends: TaskEnds;
  readonly access: Access;
  /** Aborted when the instance closes: nothing is waited for any longer. */
  readonly closing: AbortSignal;
  resolve(taskId: string, how: Resolution): Promise<unknown>;
}

const Cursor = z.int().min(0);
/** Milliseconds for which the last event of a task that ended is waited for: its worker may have died before it told it. */
const LATE_MS = 1_000;

/** Why a task does not run yet; see `Task.waiting`. */
export interface TaskWaiting {
  /** `worker`: nothing is in its way. `leases`: other tasks have what it needs, or are in front of it for the same. */
  readonly for: "worker" | "leases";
  /**
   * From 1 on. Of one that waits for a worker: among all queued ones in the order of submission. Of one that waits for
   * leases: 1 when only tasks that run are in its way, and one more for each task in front of it for the same.
   */
  readonly position: number;
  /** Tasks in its way, those that run first, each with the scope that both need, `site/<id>`. */
  readonly blockedBy: readonly { readonly task: string; readonly scope: string }[];
}

/** A submitted task, wherever it is worked. */
export class Task<Value = unknown> {
  readonly id: string;
  readonly #parts: TaskParts;

  constructor(id: string, parts: TaskParts) {
    this.id = id;
    this.#parts = parts;
  }

  /**
   * Waits for the end; never rejects because the task failed (decisions.md D42). A secret in the value that cannot be had here, in the
   * role `submit` or because its time is over, says so when it is revealed.
   * @throws HW_NOT_FOUND when there is no such task.
   */
  async outcome(): Promise<TaskOutcome<Value>> {
    const { ends, store, closing } = this.#parts;
    await this.#visible();
    using sleeper = ends.sleeper(this.id);
    for (;;) {
      sleeper.reset();
      const state = await store.tasks.state(this.id);
      // It may also be gone by then: its time was over.
      if (state === null || hasEnded(state)) {
        const outcome = (await this.#visible()).outcome as StoredOutcome;
        return outcomeOf(this.id, outcome, (await this.#withSecrets(outcome.value)) as Value);
      }
      if (closing.aborted) throw closedOver(this.id);
      await sleeper.sleep(closing);
    }
  }

  /** The value of a task that succeeded. @throws the error that stopped it, with its residue. */
  async result(): Promise<Value> {
    const outcome = await this.outcome();
    if (outcome.state === "succeeded") return outcome.value;
    throw outcome.error;
  }

  /**
   * What happened to it after a cursor (default 0: all) and what will. Ends after the last event of a task that has ended;
   * when `signal` is aborted, or the instance closed, before. @throws HW_INPUT_INVALID
   */
  async *events(
    options: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<HostwrightEvent> {
    const { signal } = options;
    const after = parseInput(Cursor, options.after ?? 0, "events: after");
    const { events, closing } = this.#parts;
    await this.#visible();
    let told: TaskState | null = null;
    let endedAt: number | null = null;
    const over = async (): Promise<number | null> => {
      const task = await this.#parts.store.tasks.get(this.id);
      if (task === null) return 0;
      if (!hasEnded(task.state)) return null;
      if (told === task.state) return 0;
      const at = task.finishedAt === null ? 0 : Date.parse(task.finishedAt);
      endedAt ??= performance.now() - Math.max(0, this.#parts.clock.now() - at);
      return Math.max(0, Math.ceil(endedAt + LATE_MS - performance.now()));
    };
    const following = { task: this.id, signal: AbortSignal.any([closing, ...(signal ? [signal] : [])]), over };
    for await (const event of events.after(after, following)) {
      if (event.type === "task:finished") told = event.payload.state;
      yield event;
    }
  }

  /** What it does at this moment. @throws HW_NOT_FOUND when there is no such task */
  async state(): Promise<TaskState> {
    return (await this.#visible()).state;
  }

  /** How far it is, from its beginning on: again and again until it is over, or `signal` is aborted. */
  async *progress(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<TaskProgress> {
    let now = NOT_BEGUN;
    yield now;
    for await (const event of this.events(options)) {
      const next = progressAfter(now, event);
      if (next !== now) yield next;
      now = next;
    }
  }

  /**
   * What it waits for at this moment; null when it runs or is finished. `task:waiting` events tell the same of a task that
   * `run` waits for, or that went back into the queue. @throws HW_NOT_FOUND when there is no such task.
   */
  async waiting(): Promise<TaskWaiting | null> {
    const { tasks, leases } = this.#parts.store;
    await this.#visible();
    const blockers = await leases.waiting(this.id);
    if (blockers !== null && blockers.length > 0) return { for: "leases", ...waitingOf(blockers) };
    const position = await tasks.position(this.id);
    return position === null ? null : { for: "worker", position, blockedBy: [] };
  }

  /**
   * Asks its worker, wherever it is, to stop it and undo what was done; a queued one ends at once. Returns before the
   * undo is over: `outcome()` waits for that. Asking again changes nothing. @throws HW_TASK_STATE when it is finished or past its commit row.
   */
  async cancel(): Promise<void> {
    const { events, access } = this.#parts;
    const task = await this.#visible();
    await access.require("task:cancel", await objectOf(this.#parts, task.request));
    if (await cancelTask(this.#parts, events, this.id)) return;
    throw new HostwrightError(
      "HW_TASK_STATE",
      `Task ${this.id} can no longer be cancelled: it is finished or past its commit.`,
    );
  }

  /**
   * Decides for a task that needs attention. `retry` undoes once more what is left; `complete` takes it as done, though
   * nobody saw it so (a store restored from a backup): its records become what it planned, and verify finds what is
   * missing; `skip` takes it as repaired by hand:
   * the task ends as `undone` and its names are free; `abandon` ends it too, but keeps its records, names and secrets.
   * The outcome is to be read anew afterwards. @throws HW_TASK_STATE unless it needs attention; HW_FORBIDDEN;
   * HW_PLUGIN_MISSING for a `retry` that the plugins here could not finish
   */
  async resolve(how: Resolution): Promise<void> {
    const task = await this.#visible();
    const object = await objectOf(this.#parts, task.request);
    await this.#parts.access.require("task:resolve", object);
    await this.#parts.resolve(this.id, how);
  }

  /** What the actor may not see is not found. */
  async #visible(): Promise<StoredTask> {
    const { store, access } = this.#parts;
    const task = await store.tasks.get(this.id);
    const seen = task !== null && (await access.seesTask(task.actor, async () => objectOf(this.#parts, task.request)));
    if (task !== null && seen) return task;
    throw new HostwrightError("HW_NOT_FOUND", `There is no task "${this.id}".`);
  }

  async #withSecrets(value: TaskValue): Promise<TaskValue> {
    const { vault } = this.#parts;
    const entries = await Promise.all(
      Object.entries(value).map(async ([key, inner]) => {
        if (!isReference(inner)) return [key, inner] as const;
        if (vault === null) return [key, Secret.missing(withoutKey(this.id, inner))] as const;
        const found = (await vault.find([inner.id])).get(inner.id);
        return [key, found === undefined ? Secret.missing(erased(this.id, inner)) : new Secret(found)] as const;
      }),
    );
    return Object.fromEntries(entries);
  }
}

function withoutKey(task: string, { label }: Reference): HostwrightError {
  const what = `The ${label} of task ${task} cannot be read in the role "submit", which has no key.`;
  return new HostwrightError("HW_ROLE_SUBMIT", what, { remedy: "Read it where the workers run." });
}

function erased(task: string, { label }: Reference): HostwrightError {
  const what = `The ${label} of task ${task} is gone: its time is over.`;
  return new HostwrightError("HW_NOT_FOUND", what, { remedy: "Ask for another one." });
}

/** The end of a wait for a task that its instance does not work itself. */
export function closedOver(id: string): HostwrightError {
  return new HostwrightError(
    "HW_CLOSED",
    `The instance was closed while task ${id} was waited for. The task goes on as it is.`,
    { remedy: "Follow it with `task(id)` of another instance.", data: { task: id } },
  );
}
