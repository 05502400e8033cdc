import type { ChildrenReport } from "../../contracts/children-report.ts";
import type { ListedTask, StoredTask, TaskState } from "../../contracts/store.ts";
import { errorFromJson, errorJson, isHostwrightError, isLeaseLost } from "../../errors/hostwright-error.ts";
import { childId } from "../../model/ids.ts";
import { isTimeout } from "../actions/cancel-error.ts";
import { HandedOver } from "../actions/handed-over.ts";
import type { Events } from "../events.ts";
import { subjectOf } from "../planning/parse-request.ts";
import type { PlanData, PlannedChild, PlannedChildren } from "../planning/plan.ts";
import type { EngineParts } from "../planning/task-engine.ts";
import { reportOf, stopError, withdrawnError, type StopCode } from "./children-end.ts";
import { ChildrenLine } from "./children-line.ts";
import { endQueued } from "./end-queued.ts";
import { firstWants } from "./first-wants.ts";
import type { StoredOutcome } from "./stored-outcome.ts";
import type { Direction, TaskEnd } from "./task-run.ts";
import { Turn } from "./turn.ts";
import type { Work } from "./work.ts";
import { timeText } from "../../model/time.ts";
import { objectOf } from "../planning/policy-object.ts";

export interface ChildrenParts {
  /** Of a worker that has the parent: see `heldParts`. */
  readonly engine: EngineParts;
  readonly events: Events;
  /** Takes a child if nothing is in its way, or its worker died, and gives the work on it; null: not now, or not here. */
  take(child: string, turn: Turn): Promise<(() => Promise<unknown>) | null>;
  /** The parent's commit row: from then on no cancel is taken. @throws HW_TASK_STATE when one came before */
  commit(): Promise<void>;
}

export interface ChildrenHow extends Pick<Work, "signal" | "closing" | "waiting" | "places" | "rest"> {
  readonly direction: Direction;
}

/** Why no further child is begun: by a rule or a cancel, or what failed. */
type Stop = StopCode | { readonly error: unknown };

/** Milliseconds between two looks at the children, whose ends in this process are known at once. */
const LOOK_MS = 250;
/** The same at those that run, whether their workers live. */
const DEAD_MS = 2_000;
const PAGE = 500;
const STOPS: readonly unknown[] = ["HW_BATCH_STOPPED", "HW_CANCELLED", "HW_TASK_TIMEOUT"] satisfies StopCode[];

/**
 * The children of one task: puts them into the line, a few at a time, and waits for their ends. Any worker may take them;
 * this one does so in the places that it has, so that they go on where there is no other. All that is to be known by whoever
 * goes on with the parent is what the store knows of them.
 */
export class Children {
  readonly #parts: ChildrenParts;
  readonly #task: StoredTask;
  readonly #plan: PlanData;
  readonly #children: PlannedChildren;
  readonly #line: ChildrenLine;
  readonly #turns = new Map<string, Turn>();
  /** Those that are worked here. */
  readonly #working = new Map<string, Promise<void>>();
  #lookedForDead = performance.now();
  #bell = Promise.withResolvers<void>();

  constructor(parts: ChildrenParts, task: StoredTask, plan: PlanData, children: PlannedChildren) {
    this.#parts = parts;
    this.#task = task;
    this.#plan = plan;
    this.#children = children;
    this.#line = new ChildrenLine(children);
  }

  /** @throws HandedOver when its worker closes, once what it works of them is at its end or handed over as well */
  async run(how: ChildrenHow): Promise<TaskEnd> {
    const { journal } = this.#parts.engine.store;
    if (await journal.isCommitted(this.#task.id)) return this.#succeeded();
    const ring = (): void => this.#bell.resolve();
    const unlisten = this.#parts.events.listen(({ type, task }) => {
      if (type === "task:finished" && this.#turns.has(task ?? "")) ring();
    });
    const signals = [how.signal, how.closing, how.waiting];
    for (const one of signals) one.addEventListener("abort", ring);
    try {
      const stored = await this.#stored();
      // Whoever put the last one into the line may have died before it told.
      if (stored.length > 0) await this.#tell(stored.length - 1);
      for (const { id, state } of stored) {
        this.#enter(id);
        await this.#note(id, state);
      }
      return await this.#toTheEnd(how);
    } finally {
      unlisten();
      for (const one of signals) one.removeEventListener("abort", ring);
      await Promise.all(this.#working.values());
      for (const turn of this.#turns.values()) turn[Symbol.dispose]();
    }
  }

  async #toTheEnd(how: ChildrenHow): Promise<TaskEnd> {
    let stop = how.direction === "back" ? this.#said() : null;
    for (;;) {
      this.#bell = Promise.withResolvers();
      try {
        if (how.closing.aborted || how.waiting.aborted) throw new HandedOver();
        const states = await this.#look();
        stop ??= await this.#stopOf(how.signal);
        if (stop === null) await this.#submit();
        else await this.#withdraw(states, stop);
        if (stop === null && this.#line.isOver && (await this.#commit())) return await this.#succeeded();
        if (stop !== null && this.#line.open.length === 0) return await this.#stopped(stop);
        await this.#take(states, how.places);
      } catch (error) {
        if (isLeaseLost(error) || error instanceof HandedOver) throw error;
        // What the store cannot tell now it tells later; what is wrong for good stops the task, and fails it at its end.
        if (!(isHostwrightError(error) && error.retryable)) {
          if (typeof stop === "object" && stop !== null) throw error;
          stop = { error };
        }
      }
      const pause = async (): Promise<void> => this.#pause();
      await (this.#working.size === 0 ? how.rest(pause) : pause());
    }
  }

  /** What whoever had it before stopped it for. */
  #said(): Stop {
    const error = (this.#task.outcome as Pick<StoredOutcome, "error"> | null)?.error ?? null;
    if (error === null) return "HW_CANCELLED";
    return STOPS.includes(error["code"]) ? (error["code"] as StopCode) : { error: errorFromJson(error) };
  }

  async #stopOf(signal: AbortSignal): Promise<Stop | null> {
    if (!signal.aborted) return this.#line.isStopped ? "HW_BATCH_STOPPED" : null;
    const code = isTimeout(signal.reason) ? "HW_TASK_TIMEOUT" : "HW_CANCELLED";
    // Whoever goes on with it, if this worker dies now, begins no further child either.
    const error = errorJson(stopError(this.#plan.title, code, reportOf(this.#children.list, [])));
    await this.#parts.engine.store.tasks.move(this.#task.id, ["running"], "cancelling", { outcome: { error } });
    return code;
  }

  /** The states of those that have not ended. */
  async #look(): Promise<ReadonlyMap<string, TaskState>> {
    const { tasks } = this.#parts.engine.store;
    const states = new Map<string, TaskState>();
    for (const [id, place] of this.#line.open) {
      const state = await tasks.state(id);
      if (!(await this.#note(id, state, place)) && state !== null) states.set(id, state);
    }
    return states;
  }

  async #submit(): Promise<void> {
    const { engine } = this.#parts;
    const { id: parent, actor } = this.#task;
    for (let place = this.#line.next; place !== null; place = this.#line.next) {
      const { request } = this.#children.list[place] as PlannedChild;
      const id = childId(parent, place);
      const createdAt = timeText(engine.clock);
      const { name: about } = await objectOf(engine, request);
      const common = { type: request.type, request, plan: null, actor, parent, about, key: null, timeoutMs: null };
      const wants = await firstWants(engine.store.records, id, subjectOf(engine, request));
      await engine.store.tasks.submit({ id, createdAt, ...common }, wants);
      this.#enter(id);
      await this.#tell(place);
    }
  }

  async #tell(place: number): Promise<void> {
    const { events } = this.#parts;
    const { id: parent, actor } = this.#task;
    const { list } = this.#children;
    const { title, request } = list[place] as PlannedChild;
    const id = childId(parent, place);
    await events.emit(id, "task:submitted", { type: request.type, title, actor });
    await events.emit(parent, "child:submitted", { child: place, of: list.length, task: id, title });
  }

  /** Those in line go; those that are worked come to their end, or are stopped where the parent was. */
  async #withdraw(states: ReadonlyMap<string, TaskState>, stop: Stop): Promise<void> {
    const { engine, events } = this.#parts;
    for (const [id, state] of states) {
      if (state === "queued") await endQueued(engine, events, id, withdrawnError(id, this.#task.id));
      else if (stop !== "HW_BATCH_STOPPED") await engine.store.tasks.move(id, ["running"], "cancelling");
    }
  }

  /** Whoever is quicker has them: the store decides. */
  async #take(states: ReadonlyMap<string, TaskState>, places: number): Promise<void> {
    const now = performance.now();
    const looksForDead = now - this.#lookedForDead >= DEAD_MS;
    if (looksForDead) this.#lookedForDead = now;
    for (const [id, state] of states) {
      const turn = this.#turns.get(id);
      if (turn === undefined || this.#working.has(id) || this.#working.size >= places) continue;
      if (state !== "queued" && !looksForDead) continue;
      const work = await this.#parts.take(id, turn);
      if (work !== null) this.#working.set(id, this.#work(id, work));
    }
  }

  /** Its end is read from the store: here it may also be put back into the line, or lost to another worker. */
  async #work(id: string, work: () => Promise<unknown>): Promise<void> {
    await work().catch(() => undefined);
    this.#working.delete(id);
    this.#bell.resolve();
  }

  #enter(id: string): void {
    this.#line.submitted(id);
    this.#turns.set(id, new Turn(this.#parts.events, id));
  }

  /** True when it has ended; told unless another worker did so. */
  async #note(id: string, state: TaskState | null, place?: number): Promise<boolean> {
    if (!this.#line.note(id, state)) return false;
    this.#turns.get(id)?.[Symbol.dispose]();
    this.#turns.delete(id);
    if (place === undefined) return true;
    const { ended, failed } = this.#line;
    const { list } = this.#children;
    const told = { child: place, of: list.length, task: id, title: list[place]?.title ?? "" };
    const end = { state: state ?? "undone", ended, failed };
    await this.#parts.events.emit(this.#task.id, "child:finished", { ...told, ...end });
    return true;
  }

  /** False when a cancel came first: then it is a stop like any other. */
  async #commit(): Promise<boolean> {
    try {
      await this.#parts.commit();
      return true;
    } catch (error) {
      if (isHostwrightError(error) && error.code === "HW_TASK_STATE") return false;
      throw error;
    }
  }

  async #pause(): Promise<void> {
    const timer = setTimeout(() => this.#bell.resolve(), LOOK_MS);
    await this.#bell.promise;
    clearTimeout(timer);
  }

  async #succeeded(): Promise<TaskEnd> {
    const value = { ...this.#plan.value, ...(await this.#report()) };
    return { plan: this.#plan, value, committed: true, error: null, residue: [] };
  }

  async #stopped(stop: Stop): Promise<TaskEnd> {
    const report = await this.#report();
    const error = typeof stop === "string" ? stopError(this.#plan.title, stop, report) : stop.error;
    return { plan: this.#plan, value: { ...report }, committed: false, error, residue: [] };
  }

  async #report(): Promise<ChildrenReport> {
    return reportOf(this.#children.list, await this.#stored());
  }

  /** In the order of their submission, which is that of the plan. */
  async #stored(): Promise<readonly ListedTask[]> {
    const { tasks } = this.#parts.engine.store;
    const all: ListedTask[] = [];
    for (;;) {
      const after = all.at(-1)?.id;
      const page = await tasks.list({ parent: this.#task.id, limit: PAGE, ...(after !== undefined && { after }) });
      for (const one of page) all.push(one);
      if (page.length < PAGE) return all;
    }
  }
}
