import { setTimeout as delay } from "node:timers/promises";
import { HostwrightError, isHostwrightError } from "../errors/hostwright-error.ts";
import type { Lease, LeaseRequest, StoredTask, TaskState } from "../contracts/store.ts";
import { processHolder } from "../store/holder.ts";
import type { Residue } from "./ensure.ts";
import type { Events } from "./events.ts";
import type { PlanData } from "./plan.ts";
import { discardDraft, openPlan, planRequest, sealPlan, type EngineParts, type TaskRequest } from "./task-engine.ts";
import { TaskRun, type Direction, type TaskEnd } from "./task-run.ts";

/** How a task ended (decisions.md D42). */
export interface TaskOutcome {
  readonly state: Extract<TaskState, "succeeded" | "undone" | "needs-attention">;
  readonly value: Readonly<Record<string, unknown>>;
  /** `HostwrightError.toJSON()` of what stopped it; null when it succeeded. */
  readonly error: Readonly<Record<string, unknown>> | null;
  /** What could not be undone or cleaned up, exactly. */
  readonly residue: readonly Residue[];
}

/** What an operator decides for a task that needs attention. */
export type Resolution = "retry" | "skip" | "abandon";

const WAIT_MS = 50;
const HEARTBEAT_MS = 10_000;
const LOOK_MS = 300;
const UNFINISHED: readonly TaskState[] = ["running", "cancelling", "undoing"];

/** Tasks that this process works on, over all its instances: their holder is alive, whoever asks. */
const active = new Set<string>();

/** Carries out tasks: leases, plan, run, outcome; and goes on with those whose worker died. */
export class Worker {
  readonly #parts: EngineParts;
  readonly #events: Events;
  readonly #holder: string = processHolder();

  constructor(parts: EngineParts, events: Events) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Works a queued task to its end. Gives null when another worker took it. */
  async work(taskId: string, signal: AbortSignal): Promise<TaskOutcome | null> {
    const { leases, tasks } = this.#parts.store;
    // Held before it is claimed: of a task that is running somebody always answers for it.
    const answer = await leases.acquire(taskId, this.#holder, [ownScope(taskId)]);
    if (!("granted" in answer)) return null;
    if (!(await tasks.move(taskId, ["queued"], "running"))) return this.#letGo(taskId);
    return this.#guarded(taskId, signal, async (task, both) => this.#carryOut(task, both));
  }

  /** Goes on with a task whose worker died, or takes it back. Gives null when it is finished or its worker lives. */
  async recover(taskId: string): Promise<TaskOutcome | null> {
    const { leases, tasks } = this.#parts.store;
    const found = await tasks.get(taskId);
    if (found === null || !UNFINISHED.includes(found.state) || active.has(taskId)) return null;
    const answer = await leases.acquire(taskId, this.#holder, [ownScope(taskId)]);
    if (!("granted" in answer) || active.has(taskId)) return null;
    // Whoever finds it may be cancelled meanwhile: that is no cancel of this one.
    return this.#guarded(taskId, new AbortController().signal, async (task, both) => {
      await this.#events.emit(taskId, "task:recovered", { state: task.state });
      return this.#carryOut(task, both);
    });
  }

  /** Goes on with every task whose worker died, one after the other; a stop lets the one under way come to its end. */
  async recoverAll(stop: AbortSignal): Promise<void> {
    for (const task of await this.#parts.store.tasks.list({ states: UNFINISHED })) {
      if (stop.aborted) return;
      await this.recover(task.id);
    }
  }

  /**
   * Ends a task that needs attention. `retry` undoes what is left once more; `skip` takes it as mended by hand and ends
   * the task as undone; `abandon` does so too but keeps its records, reserved names and secrets.
   * @throws HW_TASK_STATE when it does not need attention.
   */
  async resolve(taskId: string, how: Resolution): Promise<TaskOutcome | null> {
    const { tasks, leases, journal } = this.#parts.store;
    const task = await tasks.get(taskId);
    const to = how === "retry" ? "undoing" : "undone";
    if (task === null || !(await tasks.move(taskId, ["needs-attention"], to))) {
      throw new HostwrightError("HW_TASK_STATE", `Task ${taskId} does not need attention. Nothing was changed.`);
    }
    // Its worker may be gone, or another process that has done with it.
    await leases.release(taskId);
    if (how === "retry") return this.recover(taskId);
    const plan = task.plan === null ? null : openPlan(this.#parts.box, task, { begun: true });
    if (how === "skip" && plan !== null) await this.#run(plan).forget();
    await journal.eraseUndo(taskId);
    const outcome = { ...(task.outcome as TaskOutcome), state: to } as TaskOutcome;
    await tasks.move(taskId, ["undone"], "undone", { outcome });
    const { error, residue } = outcome;
    await this.#events.emit(taskId, "task:finished", { state: outcome.state, error, residue });
    return outcome;
  }

  #run(plan: PlanData): TaskRun {
    return new TaskRun({ engine: this.#parts, events: this.#events, holder: this.#holder }, plan);
  }

  async #guarded(
    taskId: string,
    signal: AbortSignal,
    work: (task: StoredTask, signal: AbortSignal) => Promise<TaskEnd>,
  ): Promise<TaskOutcome | null> {
    active.add(taskId);
    const cancel = new AbortController();
    const beat = setInterval(() => void this.#beat(taskId, cancel), HEARTBEAT_MS);
    const look = setInterval(() => void this.#look(taskId, cancel), LOOK_MS);
    try {
      const task = await this.#parts.store.tasks.get(taskId);
      if (task === null || !UNFINISHED.includes(task.state)) return await this.#letGo(taskId);
      return await this.#finish(taskId, await work(task, AbortSignal.any([signal, cancel.signal])));
    } finally {
      clearInterval(beat);
      clearInterval(look);
      active.delete(taskId);
    }
  }

  /** A task that turned out to be finished, or to be another's in this process, needs no lease of this one. */
  async #letGo(taskId: string): Promise<null> {
    const { tasks, leases } = this.#parts.store;
    const state = await tasks.state(taskId);
    if (state === null || !UNFINISHED.includes(state))
      await leases.release(taskId, [ownScope(taskId).scope], this.#holder);
    return null;
  }

  async #beat(taskId: string, cancel: AbortController): Promise<void> {
    const held = await this.#parts.store.leases.heartbeat(taskId, this.#holder).catch(() => true);
    if (!held) cancel.abort();
  }

  /** Was it cancelled, maybe by another process? */
  async #look(taskId: string, cancel: AbortController): Promise<void> {
    const state = await this.#parts.store.tasks.state(taskId).catch(() => null);
    if (state === "cancelling") cancel.abort();
  }

  async #carryOut(task: StoredTask, signal: AbortSignal): Promise<TaskEnd> {
    let run: { readonly plan: PlanData; readonly on: TaskRun } | null = null;
    try {
      const begun = (await this.#parts.store.journal.read(task.id)).length > 0;
      const stored = task.plan === null ? null : openPlan(this.#parts.box, task, { begun });
      const { plan, token } = await this.#plan(task, stored, signal);
      run = { plan, on: this.#run(plan) };
      await this.#events.emit(task.id, "task:started", { actions: plan.actions.length });
      return await run.on.run(token, signal, directionOf(task));
    } catch (error) {
      // Another worker has it now: it is not this one's to end.
      if (isHostwrightError(error) && error.code === "HW_LEASE_LOST") throw error;
      if (run !== null && (await this.#parts.store.journal.isCommitted(task.id))) return committedEnd(run.plan, error);
      if (run === null) await discardDraft(this.#parts, task.id);
      else await run.on.forget();
      const why = signal.aborted ? cancelled(task.id, error) : error;
      return { plan: run?.plan ?? null, value: {}, committed: false, error: why, residue: [] };
    }
  }

  /** A stored plan runs as it is; a request is planned under its leases (decisions.md D1). */
  async #plan(
    task: StoredTask,
    stored: PlanData | null,
    signal: AbortSignal,
  ): Promise<{ plan: PlanData; token: number }> {
    const { store } = this.#parts;
    // The task's own lease is always there.
    const [only, ...others] = await store.leases.list();
    let quiet = others.length === 0 ? only?.token : undefined;
    let plan = stored ?? (await planRequest(this.#parts, task.request as TaskRequest, task.id, signal));
    for (;;) {
      const granted = await this.#acquire(task.id, plan, signal);
      const token = Math.max(...granted.map((lease) => lease.token));
      if (stored !== null) return { plan, token };
      // Nobody worked when it was planned and nobody was granted a lease since: what it read still stands.
      if (quiet !== undefined && token === quiet + 1) return { plan: await this.#keep(task.id, plan), token };
      quiet = undefined;
      const again = await planRequest(this.#parts, task.request as TaskRequest, task.id, signal);
      const covered = again.leases.every((want) =>
        granted.some((lease) => lease.scope === want.scope && (lease.mode === "exclusive" || want.mode === "shared")),
      );
      plan = again;
      if (covered) return { plan: await this.#keep(task.id, plan), token };
      const scopes = granted.map((lease) => lease.scope).filter((scope) => scope !== ownScope(task.id).scope);
      await store.leases.release(task.id, scopes, this.#holder);
    }
  }

  async #keep(taskId: string, plan: PlanData): Promise<PlanData> {
    const { store, box } = this.#parts;
    await store.tasks.move(taskId, ["running"], "running", { plan: sealPlan(box, plan) });
    return plan;
  }

  async #acquire(taskId: string, plan: PlanData, signal: AbortSignal): Promise<readonly Lease[]> {
    const { leases } = this.#parts.store;
    let told = false;
    for (;;) {
      signal.throwIfAborted();
      const answer = await leases.acquire(taskId, this.#holder, [...plan.leases, ownScope(taskId)]);
      if ("granted" in answer) return answer.granted;
      if (!told) {
        const blockedBy = answer.blockedBy.map(({ task, scope }) => ({ task, scope }));
        await this.#events.emit(taskId, "task:waiting", { blockedBy });
        told = true;
      }
      // Whoever is in the way may be dead.
      for (const { task } of answer.blockedBy) await this.recover(task);
      await delay(WAIT_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #finish(taskId: string, end: TaskEnd): Promise<TaskOutcome> {
    const { tasks, journal, leases } = this.#parts.store;
    const state = end.committed ? "succeeded" : end.residue.length === 0 ? "undone" : "needs-attention";
    const error = end.error === null ? null : errorJson(end.error);
    const outcome: TaskOutcome = { state, value: end.value, error, residue: end.residue };
    await tasks.move(taskId, UNFINISHED, state, { outcome, finishedAt: new Date().toISOString() });
    if (state !== "needs-attention") {
      await journal.eraseUndo(taskId);
      await leases.release(taskId, undefined, this.#holder);
    } else {
      // The site stays leased until somebody resolved it; the server is free for others (decisions.md D9).
      const [keep, ...rest] = end.plan?.leases.map((lease) => lease.scope) ?? [];
      const free = rest.filter((scope) => scope !== keep);
      await leases.release(taskId, [...free, ownScope(taskId).scope], this.#holder);
    }
    await this.#events.emit(taskId, "task:finished", { state, error, residue: end.residue });
    return outcome;
  }
}

function ownScope(taskId: string): LeaseRequest {
  return { scope: `task/${taskId}`, mode: "exclusive" };
}

/** What was cancelled or being undone when its worker died goes back, all else forward. */
function directionOf({ state }: StoredTask): Direction {
  return state === "cancelling" || state === "undoing" ? "back" : "forward";
}

/** The commit row stands: what failed after it is listed, and nothing is taken back. */
function committedEnd(plan: PlanData, error: unknown): TaskEnd {
  const reason = error instanceof Error ? error.message : String(error);
  const residue = [{ server: plan.actions.at(-1)?.serverName ?? "", type: "run", key: plan.title, reason }];
  return { plan, value: plan.value, committed: true, error: null, residue };
}

function errorJson(error: unknown): Record<string, unknown> {
  if (isHostwrightError(error)) return error.toJSON();
  const message = error instanceof Error ? error.message : String(error);
  return new HostwrightError("HW_INTERNAL", message, { cause: error }).toJSON();
}

function cancelled(taskId: string, cause: unknown): HostwrightError {
  return new HostwrightError(
    "HW_CANCELLED",
    `Task ${taskId} was cancelled before its first action. Nothing was changed.`,
    { mend: "Submit it again when it is wanted.", cause },
  );
}
