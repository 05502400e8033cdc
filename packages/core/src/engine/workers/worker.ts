import { errorJson, isHostwrightError, isLeaseLost } from "../../errors/hostwright-error.ts";
import type { Blocker, StoredTask, TaskState } from "../../contracts/store.ts";
import { newHolder } from "../../store/holder.ts";
import { cancelError } from "../actions/cancel-error.ts";
import { ActiveTasks } from "./active-tasks.ts";
import { Children, type ChildrenParts } from "./children.ts";
import { closeEnded, closeTask, type Closing } from "./close-ended.ts";
import { endQueued } from "./end-queued.ts";
import { Errands, restless, type Rest } from "./errands.ts";
import type { Events } from "../events.ts";
import { HandedOver } from "../actions/handed-over.ts";
import { heldParts } from "./held-parts.ts";
import { draftOf } from "../planning/drafts.ts";
import { hasEnded } from "../task-ends.ts";
import { committedEnd, endingOf, leftBegun } from "./task-ends.ts";
import type { StoredOutcome } from "./stored-outcome.ts";
import type { PlanData } from "../planning/plan.ts";
import type { EngineParts } from "../planning/task-engine.ts";
import { readyPlan, type ReadyParts } from "./ready-plan.ts";
import { isApproval, planOf } from "./stored-plans.ts";
import { Stranding } from "./stranding.ts";
import { maintain, type MaintenanceStep } from "../maintenance/maintain.ts";
import { TaskRun, type Direction, type TaskEnd } from "./task-run.ts";
import { TaskWatch } from "./task-watch.ts";
import { firstInWay, Turn } from "./turn.ts";
import { NEVER, ownScope, unbegun, type Work } from "./work.ts";
import { timeText } from "../../model/time.ts";

/** Of its children a task works one in the place that it has in the queue; whoever runs one has no other worker to count on. */
const ONE = 1;
const ALL = Infinity;

const UNFINISHED: readonly TaskState[] = ["running", "cancelling", "undoing"];

/** Carries out tasks: leases, plan, run, outcome; and goes on with those whose worker died. A holder of leases of its own. */
export class Worker {
  readonly #parts: EngineParts;
  readonly #events: Events;
  readonly #holder: string;
  /** Tasks that it works on: nobody recovers them. */
  readonly #active = new ActiveTasks();
  /** What this instance cannot finish is left for a worker that can (decisions.md D4). */
  readonly stranding: Stranding;
  readonly #recoveries = new Errands();
  readonly #helps = new Errands();

  /** `holder` is another process's in tests only. */
  constructor(parts: EngineParts, events: Events, holder: string = newHolder()) {
    this.#parts = parts;
    this.#events = events;
    this.#holder = holder;
    this.stranding = new Stranding(parts, events);
  }

  /**
   * Takes the first task in line that nothing is in the way of and that this instance can finish: it is running then, and
   * to be carried out. Null when there is none at this moment.
   */
  async takeNext(): Promise<string | null> {
    const { leases } = this.#parts.store;
    for (;;) {
      const id = await leases.next(this.stranding.ids);
      if (id === null) return null;
      if (await this.stranding.leaves(id)) continue;
      const answer = await leases.claim(id, this.#holder, this.stranding.ids);
      if (answer === null) continue;
      if ("blockedBy" in answer) return null;
      this.#active.enter(id);
      return id;
    }
  }

  /** Carries a task out that `takeNext` gave. Null when it is left for another, or waits in line once more. */
  async carryOut(taskId: string, closing: AbortSignal): Promise<StoredOutcome | null> {
    using turn = new Turn(this.#events, taskId);
    const how = { turn, signal: NEVER, closing, waiting: closing, places: ONE, rest: restless, resumed: false };
    return await this.#guarded(taskId, how);
  }

  /**
   * Waits until a queued task is first in its line, and works it to its end. What is in its way is helped on, if nobody
   * else works it: tasks of dead workers, and such that nobody takes. Gives null when another worker took it, or it is
   * left for one. Aborting the signal ends it, waiting or not; `waiting` ends the waiting alone, and leaves it queued.
   */
  async work(taskId: string, signal: AbortSignal, waiting: AbortSignal = NEVER): Promise<StoredOutcome | null> {
    const { leases, tasks } = this.#parts.store;
    using turn = new Turn(this.#events, taskId);
    for (;;) {
      if (await this.stranding.leaves(taskId)) return null;
      if (signal.aborted) return await this.#giveUp(taskId, signal);
      if (waiting.aborted) return null;
      const answer = await leases.claim(taskId, this.#holder, this.stranding.ids);
      if (answer === null) return null;
      if ("granted" in answer) {
        this.#active.enter(taskId);
        const how = { turn, signal, closing: NEVER, waiting, places: ALL, rest: restless, resumed: false };
        const outcome = await this.#guarded(taskId, how);
        if (outcome !== null || (await tasks.state(taskId)) !== "queued") return outcome;
      } else {
        await turn.tell(answer.blockedBy);
        this.#help(turn, answer.blockedBy, waiting);
        await turn.wait(AbortSignal.any([signal, waiting]));
      }
    }
  }

  /** Goes on with a task whose worker died, or takes it back. Gives null when it is finished or its worker lives. */
  async recover(
    taskId: string,
    { closing = NEVER, waiting = closing, rest = restless }: Partial<Pick<Work, "closing" | "waiting" | "rest">> = {},
  ): Promise<StoredOutcome | null> {
    return (await this.#takeOver(taskId)) ? this.#goOn(taskId, { closing, waiting, rest }) : null;
  }

  /**
   * Goes on with tasks whose workers died, a few at once and each on its own: one that takes long, or fails, keeps no other
   * waiting. A stop hands over what is under way.
   */
  async lookForDead(stop: AbortSignal): Promise<void> {
    await this.stranding.refresh();
    this.#recoveries.run("ended tasks", async () => closeEnded(this.#closing, (task) => this.#active.has(task)));
    for (const { id } of await this.#parts.store.tasks.unfinished()) {
      if (stop.aborted) return;
      if (!this.#active.has(id)) this.#recoveries.run(id, async (rest) => this.recover(id, { closing: stop, rest }));
    }
  }

  /** The same, and waits until it is done with those that it found. */
  async recoverAll(stop: AbortSignal): Promise<void> {
    await this.lookForDead(stop);
    await this.#recoveries.settled();
  }

  /** Waits for all that it does beside what it was asked for; whoever closes it has aborted that before. */
  async settled(): Promise<void> {
    await Promise.all([this.#recoveries.settled(), this.#helps.settled()]);
  }

  /** A step of the upkeep of the store; see `maintain`. */
  async maintain(stop: AbortSignal): Promise<MaintenanceStep> {
    return maintain(this.#parts, stop);
  }

  /** For whoever resolves a task that needs attention: all that it has is this worker's until the end of `work`. */
  async resolving(
    taskId: string,
    work: (engine: EngineParts) => Promise<StoredOutcome | "go on">,
  ): Promise<StoredOutcome | null> {
    if (this.#active.has(taskId) || !(await this.#takeUp(taskId))) return null;
    try {
      const result = await work(this.#held(taskId));
      if (result !== "go on") return result;
      this.#active.enter(taskId);
      return await this.#goOn(taskId, { closing: NEVER, waiting: NEVER, rest: restless });
    } catch (error) {
      // It is this frame's until the end: what this worker's own recovery takes up then it holds by the same name.
      await this.#parts.store.leases.release(taskId, [ownScope(taskId).scope], this.#holder);
      await this.#parts.store.leases.handOver(taskId, this.#holder);
      throw error;
    } finally {
      this.#active.leave(taskId);
    }
  }

  /** Tells of a task that has ended, and lets go what it had. */
  async close(taskId: string, outcome: StoredOutcome): Promise<void> {
    await closeTask(this.#closing, taskId, outcome);
  }

  run(plan: PlanData): TaskRun {
    return new TaskRun({ engine: this.#held(plan.task), events: this.#events }, plan);
  }

  /** What the work on a task reads and writes by: nothing is written for it once its lease is lost. */
  #held(taskId: string): EngineParts {
    return heldParts(this.#parts, taskId, this.#holder);
  }

  /** A task that is begun, if its worker died and this instance can finish it. */
  async #takeOver(taskId: string): Promise<boolean> {
    if (this.#active.has(taskId)) return false;
    const state = await this.#parts.store.tasks.state(taskId);
    if (state === null || !UNFINISHED.includes(state) || (await this.stranding.leaves(taskId))) return false;
    if (!(await this.#takeUp(taskId))) return false;
    await this.#events.emit(taskId, "task:recovered", { state });
    return true;
  }

  /** Whoever finds it may be cancelled meanwhile: that is no cancel of this one. */
  async #goOn(taskId: string, how: Pick<Work, "closing" | "waiting" | "rest">): Promise<StoredOutcome | null> {
    using turn = new Turn(this.#events, taskId);
    return await this.#guarded(taskId, { ...how, turn, signal: NEVER, places: ONE, resumed: true });
  }

  /** All leases that a task has, from whoever does not live any more. */
  async #takeUp(taskId: string): Promise<boolean> {
    const { leases } = this.#parts.store;
    const answer = await leases.acquire(taskId, this.#holder, [ownScope(taskId)]);
    // By now it may be an errand's of this very worker.
    if (!("granted" in answer) || this.#active.has(taskId)) return false;
    this.#active.enter(taskId);
    return true;
  }

  /** Nobody has begun it: it ends where it stands in line. */
  async #giveUp(taskId: string, signal: AbortSignal): Promise<StoredOutcome | null> {
    const why = cancelError(signal, unbegun(taskId), undefined);
    return endQueued(this.#parts, this.#events, taskId, why);
  }

  /** What keeps others waiting is gone on with, in frames of its own. */
  #help(turn: Turn, blockers: readonly Blocker[], waiting: AbortSignal): void {
    const whileWanted = AbortSignal.any([waiting, turn.over]);
    for (const rival of turn.helpless(blockers))
      this.#helps.run(rival, async (rest) => this.#helpOn(rival, whileWanted, rest));
  }

  /** Once, without a wait: who still waits for it comes again. What is in its own way was submitted before it. */
  async #helpOn(taskId: string, waiting: AbortSignal, rest: Rest): Promise<void> {
    using turn = new Turn(this.#events, taskId);
    const work = await this.#take(taskId, { turn, closing: NEVER, waiting, rest }, async (blockers) => {
      for (const { task } of firstInWay(blockers))
        this.#helps.run(task, async (own) => this.#helpOn(task, waiting, own));
    });
    await work?.();
  }

  /** Takes a task that nothing is in the way of, or whose worker died, and gives the work on it; null: not now, or not here. */
  async #take(
    taskId: string,
    how: Pick<Work, "turn" | "closing" | "waiting" | "rest">,
    tell: (blockers: readonly Blocker[]) => Promise<void>,
  ): Promise<(() => Promise<StoredOutcome | null>) | null> {
    const { tasks, leases } = this.#parts.store;
    if (this.#active.has(taskId) || how.waiting.aborted || (await this.stranding.leaves(taskId))) return null;
    const work = { ...how, signal: NEVER, places: ONE };
    if ((await tasks.state(taskId)) !== "queued") {
      return (await this.#takeOver(taskId)) ? async () => this.#guarded(taskId, { ...work, resumed: true }) : null;
    }
    const answer = await leases.claim(taskId, this.#holder, this.stranding.ids);
    if (answer !== null && "granted" in answer) {
      this.#active.enter(taskId);
      return async () => this.#guarded(taskId, { ...work, resumed: false });
    }
    if (answer === null) this.stranding.forget(taskId);
    else await tell(answer.blockedBy);
    return null;
  }

  /** The work on a task that has children, in place of actions. */
  #childrenOf(plan: PlanData, task: StoredTask, how: Work): Children | null {
    if (plan.children === undefined) return null;
    const { closing, waiting } = how;
    const parts: ChildrenParts = {
      engine: this.#held(task.id),
      events: this.#events,
      take: async (child, turn) =>
        this.#take(child, { turn, closing, waiting, rest: restless }, async (blockers) => {
          await turn.tell(blockers);
          this.#help(turn, blockers, waiting);
        }),
      commit: async () => this.run(plan).commit(),
    };
    return new Children(parts, task, plan, plan.children);
  }

  /** Of a task that it was granted. */
  async #guarded(taskId: string, how: Work): Promise<StoredOutcome | null> {
    const { tasks, leases } = this.#parts.store;
    try {
      using watch = new TaskWatch(this.#held(taskId), taskId, this.#holder);
      const task = await tasks.get(taskId);
      if (task === null || !UNFINISHED.includes(task.state)) {
        // It turned out to be over. Whoever ended it may have died before it told.
        if (task !== null && hasEnded(task.state) && task.outcome !== null)
          await this.close(taskId, task.outcome as StoredOutcome);
        else await leases.release(taskId, [ownScope(taskId).scope], this.#holder);
        return null;
      }
      if (task.timeoutMs !== null) watch.endAfter(task.timeoutMs);
      const end = await this.#carryOut(task, { ...how, signal: AbortSignal.any([how.signal, watch.signal]) });
      return end === null ? null : await this.#finish(taskId, end);
    } catch (error) {
      if (!(error instanceof HandedOver)) throw error;
      await leases.handOver(taskId, this.#holder);
      return null;
    } finally {
      this.#active.leave(taskId);
      this.stranding.forget(taskId);
    }
  }

  /** Null when it was put back into the line. */
  async #carryOut(task: StoredTask, how: Work): Promise<TaskEnd | null> {
    const engine = this.#held(task.id);
    const { journal, tasks } = engine.store;
    const { signal, closing, resumed } = how;
    let plan: PlanData | null = null;
    let isPlanned = false;
    let begun = false;
    try {
      // Somebody may have taken it as done before any of it was begun.
      begun = (await journal.read(task.id)).length > 0 || (await journal.isCommitted(task.id));
      begun ||= resumed && (await tasks.list({ parent: task.id, limit: 1 })).length > 0;
      // The time of a plan is judged until it is the task's own; whoever took an approval before may have died first.
      plan = await planOf(engine, task, { begun: begun || (resumed && !isApproval(task.plan)) });
      const ready = await readyPlan(this.#ready(engine), task, plan, { ...how, begun });
      if (ready === null) return null;
      plan = ready.plan;
      isPlanned = true;
      await this.#events.emit(task.id, "task:started", { actions: plan.actions.length });
      const direction = directionOf(task);
      const children = this.#childrenOf(plan, task, how);
      if (children !== null) return await children.run({ ...how, direction });
      return await this.run(plan).run(ready.token, signal, { direction, resumed: begun, closing, task });
    } catch (error) {
      // Another worker has it now: it is not this one's to end.
      if (isLeaseLost(error) || error instanceof HandedOver) throw error;
      const committed = await journal.isCommitted(task.id);
      if (committed && plan !== null && isPlanned) return committedEnd(plan, error);
      // Nobody has gone on with it yet: the next one may.
      if (committed || (begun && !isPlanned && isHostwrightError(error) && error.retryable)) throw error;
      const residue = await leftBegun(journal, task.id, plan, error);
      const why = signal.aborted ? cancelError(signal, unbegun(task.id), error) : error;
      // Whoever comes after this one must not go forward without what is forgotten now.
      await tasks.move(task.id, ["running", "cancelling"], "undoing", { outcome: { error: errorJson(why) } });
      return { plan, value: {}, committed: false, error: why, residue };
    }
  }

  async #finish(taskId: string, end: TaskEnd): Promise<StoredOutcome> {
    const { tasks, records } = this.#held(taskId).store;
    const state = end.committed ? "succeeded" : end.residue.length === 0 ? "undone" : "needs-attention";
    const error = end.error === null ? null : errorJson(end.error);
    const outcome: StoredOutcome = { state, value: end.value, error, residue: end.residue };
    const gone = endingOf(taskId, state, end.plan, state === "undone" ? await draftOf(records, taskId) : null);
    const finishedAt = timeText(this.#parts.clock);
    const ended = await tasks.end(taskId, UNFINISHED, { state, outcome, finishedAt, ...gone });
    if (!ended) return (await tasks.get(taskId))?.outcome as StoredOutcome;
    await this.close(taskId, outcome);
    return outcome;
  }

  #ready(engine: EngineParts): ReadyParts {
    return {
      engine,
      holder: this.#holder,
      except: () => this.stranding.ids,
      help: (turn, blockers, waiting) => this.#help(turn, blockers, waiting),
    };
  }

  get #closing(): Closing {
    return { store: this.#parts.store, events: this.#events, holder: this.#holder };
  }
}

/** What was cancelled or being undone when its worker died goes back, all else forward. */
function directionOf({ state }: StoredTask): Direction {
  return state === "cancelling" || state === "undoing" ? "back" : "forward";
}
