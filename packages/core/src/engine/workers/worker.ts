import { HostwrightError, isHostwrightError, isLeaseLost } from "../../errors/hostwright-error.ts";
import type { Lease, LeaseRequest, StoredTask, TaskState } from "../../contracts/store.ts";
import { newHolder } from "../../store/holder.ts";
import { cancelError, type Stopped } from "../actions/cancel-error.ts";
import { closeEnded, closeTask, type Closing } from "./close-ended.ts";
import type { Residue } from "../../model/residue.ts";
import type { Events } from "../events.ts";
import { HandedOver } from "../actions/handed-over.ts";
import { heldParts } from "./held-parts.ts";
import { requireLease } from "./require-lease.ts";
import { committedEnd, errorJson, freedBy, leftBegun } from "./task-ends.ts";
import type { PlanData } from "../planning/plan.ts";
import { NO_SLOT, takeLeases, type Slot } from "./take-leases.ts";
import { discardDraft, planRequest, type EngineParts, type TaskRequest } from "../planning/task-engine.ts";
import { sealPlan } from "../planning/seal-plan.ts";
import { isApproval, planOf } from "./stored-plans.ts";
import { Stranding } from "./stranding.ts";
import { maintain, type MaintenanceStep } from "../maintenance/maintain.ts";
import { TaskRun, type Direction, type TaskEnd } from "./task-run.ts";
import { TaskWatch } from "./task-watch.ts";

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
export type Resolution = "retry" | "complete" | "skip" | "abandon";

const RESOLVED = { retry: "undoing", complete: "running", skip: "undone", abandon: "undone" } as const;
const UNFINISHED: readonly TaskState[] = ["running", "cancelling", "undoing"];

/** Carries out tasks: leases, plan, run, outcome; and goes on with those whose worker died. */
export class Worker {
  readonly #parts: EngineParts;
  readonly #events: Events;
  readonly #holder: string;
  /** Tasks that it works on: nobody recovers them. */
  readonly #active = new Set<string>();
  /** What this instance cannot finish is left for a worker that can (decisions.md D4). */
  readonly stranding: Stranding;

  /** `holder` is another process's in tests only. */
  constructor(parts: EngineParts, events: Events, holder: string = newHolder()) {
    this.#parts = parts;
    this.#events = events;
    this.#holder = holder;
    this.stranding = new Stranding(parts, events);
  }

  /**
   * Works a queued task to its end, without its slot while it waits for leases. Gives null when another worker took it, or
   * it is left for one.
   */
  async work(taskId: string, signal: AbortSignal, slot: Slot = NO_SLOT): Promise<TaskOutcome | null> {
    const { leases, tasks } = this.#parts.store;
    if (await this.stranding.leaves(taskId)) return null;
    // Held before it is claimed: of a task that is running somebody always answers for it.
    const answer = await leases.acquire(taskId, this.#holder, [ownScope(taskId)]);
    if (!("granted" in answer)) return null;
    if (!(await tasks.move(taskId, ["queued"], "running"))) return this.#letGo(taskId);
    return this.#guarded(taskId, signal, async (task, both) => this.#carryOut(task, both, slot));
  }

  /** Goes on with a task whose worker died, or takes it back. Gives null when it is finished or its worker lives. */
  async recover(taskId: string, slot: Slot = NO_SLOT): Promise<TaskOutcome | null> {
    const { leases, tasks } = this.#parts.store;
    if (this.#active.has(taskId)) return null;
    const state = await tasks.state(taskId);
    if (state === null || !UNFINISHED.includes(state) || (await this.stranding.leaves(taskId))) return null;
    const answer = await leases.acquire(taskId, this.#holder, [ownScope(taskId)]);
    if (!("granted" in answer) || this.#active.has(taskId)) return null;
    // Whoever finds it may be cancelled meanwhile: that is no cancel of this one.
    return this.#guarded(taskId, new AbortController().signal, async (task, both) => {
      await this.#events.emit(taskId, "task:recovered", { state: task.state });
      return this.#carryOut(task, both, slot);
    });
  }

  /** Goes on with every task whose worker died, one after the other; a stop hands the one under way over. */
  async recoverAll(stop: AbortSignal): Promise<void> {
    await this.stranding.refresh();
    await closeEnded(this.#closing, (task) => this.#active.has(task));
    for (const task of await this.#parts.store.tasks.unfinished()) {
      if (stop.aborted) return;
      await this.recover(task.id, { ...NO_SLOT, closing: stop });
    }
  }

  /** A step of the upkeep of the store; see `maintain`. */
  async maintain(stop: AbortSignal): Promise<MaintenanceStep> {
    return maintain(this.#parts, stop);
  }

  /**
   * Ends a task that needs attention. `retry` undoes what is left once more; `complete` takes it as done: its records are
   * committed as they stand in its plan, and its clean-ups follow; `skip` takes it as mended by hand and ends
   * the task as undone; `abandon` does so too but keeps its records, reserved names and secrets.
   * @throws HW_TASK_STATE when it does not need attention; HW_PLUGIN_MISSING when it cannot be undone here
   */
  async resolve(taskId: string, how: Resolution): Promise<TaskOutcome | null> {
    const { tasks, leases } = this.#parts.store;
    const task = await tasks.get(taskId);
    const to = RESOLVED[how];
    if (task?.state === "needs-attention" && to !== "undone") await this.stranding.require(task);
    // What it has is kept until it is over: who waits for the site must not find it half undone.
    if (task?.state === "needs-attention") await leases.acquire(taskId, this.#holder, [ownScope(taskId)]);
    // First, so that nobody who finds it running takes it up as if it was not done.
    if (task?.state === "needs-attention" && how === "complete") await this.#complete(task);
    if (task === null || !(await tasks.move(taskId, ["needs-attention"], to))) {
      // Somebody else resolves it at this moment, perhaps without the leases.
      await this.recover(taskId);
      await this.#letGo(taskId);
      throw new HostwrightError("HW_TASK_STATE", `Task ${taskId} does not need attention. Nothing was changed.`);
    }
    if (to !== "undone") return this.recover(taskId);
    const plan = await planOf(this.#parts, task, { begun: true });
    if (how === "skip" && plan !== null) await this.#run(plan).forget();
    const { journal } = this.#held(taskId).store;
    await journal.eraseUndo(taskId);
    const outcome = { ...(task.outcome as TaskOutcome), state: to } as TaskOutcome;
    await tasks.move(taskId, ["undone"], "undone", { outcome });
    await leases.release(taskId);
    const { error, residue } = outcome;
    await this.#events.emit(taskId, "task:finished", { state: outcome.state, error, residue });
    return outcome;
  }

  /** @throws HW_TASK_STATE when there is no plan that it could be taken as, or its records are others' by now. */
  async #complete(task: StoredTask): Promise<void> {
    const plan = await planOf(this.#parts, task, { begun: true });
    if (plan === null)
      throw new HostwrightError("HW_TASK_STATE", `Task ${task.id} was never planned. Nothing was changed.`);
    await this.#run(plan).commitAsDone();
  }

  #run(plan: PlanData): TaskRun {
    return new TaskRun({ engine: this.#held(plan.task), events: this.#events, holder: this.#holder }, plan);
  }

  /** What the work on a task reads and writes by: nothing is written for it once its lease is lost. */
  #held(taskId: string): EngineParts {
    return heldParts(this.#parts, taskId, this.#holder);
  }

  async #guarded(
    taskId: string,
    signal: AbortSignal,
    work: (task: StoredTask, signal: AbortSignal) => Promise<TaskEnd>,
  ): Promise<TaskOutcome | null> {
    this.#active.add(taskId);
    using watch = new TaskWatch(this.#parts, taskId, this.#holder);
    try {
      const task = await this.#parts.store.tasks.get(taskId);
      if (task === null || !UNFINISHED.includes(task.state)) return await this.#letGo(taskId);
      if (task.timeoutMs !== null) watch.endAfter(task.timeoutMs);
      return await this.#finish(taskId, await work(task, AbortSignal.any([signal, watch.signal])));
    } catch (error) {
      if (!(error instanceof HandedOver)) throw error;
      await this.#parts.store.leases.handOver(taskId, this.#holder);
      return null;
    } finally {
      this.#active.delete(taskId);
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

  async #carryOut(task: StoredTask, signal: AbortSignal, slot: Slot): Promise<TaskEnd> {
    const { journal, leases, tasks } = this.#held(task.id).store;
    let plan: PlanData | null = null;
    let isPlanned = false;
    let begun = false;
    try {
      begun = (await journal.read(task.id)).length > 0;
      plan = await planOf(this.#parts, task, { begun });
      // What was begun is gone on with or taken back, whatever cancels it.
      const ready = await this.#plan(task, plan, begun ? new AbortController().signal : signal, slot);
      plan = ready.plan;
      isPlanned = true;
      await this.#events.emit(task.id, "task:started", { actions: plan.actions.length });
      return await this.#run(plan).run(ready.token, signal, {
        direction: directionOf(task),
        resumed: begun,
        closing: slot.closing,
      });
    } catch (error) {
      // Another worker has it now: it is not this one's to end.
      if (isLeaseLost(error) || error instanceof HandedOver) throw error;
      await requireLease(leases, task.id, this.#holder);
      const committed = await journal.isCommitted(task.id);
      if (committed && plan !== null && isPlanned) return committedEnd(plan, error);
      // Nobody has gone on with it yet: the next one may.
      if (committed || (begun && !isPlanned && isHostwrightError(error) && error.retryable)) throw error;
      const residue = await leftBegun(journal, task.id, plan, error);
      // Whoever comes after this one must not go forward without what is forgotten now.
      await tasks.move(task.id, ["running", "cancelling"], "undoing");
      if (residue.length === 0)
        await (plan === null ? discardDraft(this.#held(task.id), task.id) : this.#run(plan).forget());
      const why = signal.aborted ? cancelError(signal, unbegun(task.id), error) : error;
      return { plan, value: {}, committed: false, error: why, residue };
    }
  }

  /** A stored plan runs as it is; a request is planned under its leases (decisions.md D1). */
  async #plan(
    task: StoredTask,
    stored: PlanData | null,
    signal: AbortSignal,
    slot: Slot,
  ): Promise<{ plan: PlanData; token: number }> {
    const engine = this.#held(task.id);
    const { store } = engine;
    // The task's own lease is always there; who delivers notifications changes nothing that a plan reads.
    const standing = await store.leases.list();
    const [only, ...others] = standing.filter(({ scope }) => !scope.startsWith("notify/"));
    let quiet = others.length === 0 ? only?.token : undefined;
    let plan = stored ?? (await planRequest(engine, task.request as TaskRequest, task.id, signal));
    for (;;) {
      const granted = await this.#acquire(task.id, plan, signal, slot);
      const token = granted.reduce((highest, lease) => Math.max(highest, lease.token), 0);
      if (stored !== null) return { plan: isApproval(task.plan) ? await this.#keep(task.id, plan) : plan, token };
      // Nobody worked when it was planned and nobody was granted a lease since: what it read still stands. What needs no
      // lease is not made truer by one.
      const stands = plan.leases.length === 0 || (quiet !== undefined && token === quiet + 1);
      if (stands) return { plan: await this.#keep(task.id, plan), token };
      quiet = undefined;
      const again = await planRequest(engine, task.request as TaskRequest, task.id, signal);
      const covered = again.leases.every((want) =>
        granted.some((lease) => lease.scope === want.scope && (lease.mode === "exclusive" || want.mode === "shared")),
      );
      plan = again;
      if (covered) return { plan: await this.#keep(task.id, plan), token };
      const scopes = granted.map((lease) => lease.scope).filter((scope) => scope !== ownScope(task.id).scope);
      await store.leases.release(task.id, scopes, this.#holder);
    }
  }

  /** Before anything is begun: what runs by a plan that is not stored nobody could go on with. @throws HW_CANCELLED */
  async #keep(taskId: string, plan: PlanData): Promise<PlanData> {
    const { store, box } = this.#held(taskId);
    const sealed = await sealPlan(box, plan);
    const isKept = await store.tasks.move(taskId, ["running"], "running", { plan: sealed });
    if (!isKept) throw cancelError(AbortSignal.abort(), unbegun(taskId), undefined);
    return plan;
  }

  async #acquire(taskId: string, plan: PlanData, signal: AbortSignal, slot: Slot): Promise<readonly Lease[]> {
    const { leases } = this.#parts.store;
    const recover = async (task: string): Promise<unknown> => this.recover(task);
    const scopes = [...plan.leases, ownScope(taskId)];
    return takeLeases(
      { leases, events: this.#events, slot, recover },
      { task: taskId, holder: this.#holder, scopes, signal },
    );
  }

  async #finish(taskId: string, end: TaskEnd): Promise<TaskOutcome> {
    const { tasks, journal, leases } = this.#held(taskId).store;
    const state = end.committed ? "succeeded" : end.residue.length === 0 ? "undone" : "needs-attention";
    const error = end.error === null ? null : errorJson(end.error);
    const outcome: TaskOutcome = { state, value: end.value, error, residue: end.residue };
    // Nobody comes back to a task that has ended: what is to be forgotten or freed is so before.
    if (state !== "needs-attention") await journal.eraseUndo(taskId);
    else await leases.release(taskId, freedBy(end.plan), this.#holder);
    const finishedAt = new Date().toISOString();
    await tasks.move(taskId, UNFINISHED, state, { outcome, finishedAt });
    await closeTask(this.#closing, taskId, outcome);
    return outcome;
  }

  get #closing(): Closing {
    return { store: this.#parts.store, events: this.#events, holder: this.#holder };
  }
}

function ownScope(taskId: string): LeaseRequest {
  return { scope: `task/${taskId}`, mode: "exclusive" };
}

function unbegun(taskId: string): Stopped {
  return { what: `Task ${taskId}`, where: "before its first action", left: "Nothing was changed." };
}

/** What was cancelled or being undone when its worker died goes back, all else forward. */
function directionOf({ state }: StoredTask): Direction {
  return state === "cancelling" || state === "undoing" ? "back" : "forward";
}
