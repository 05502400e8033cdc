import { setImmediate as nextTurn } from "node:timers/promises";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import type { StoredTask, TaskState } from "../../contracts/store.ts";
import type { ServerRecord } from "../../model/records.ts";
import { HolderWatch } from "../../store/holder-watch.ts";
import type { Events } from "../events.ts";
import { missingNeeds, showNeed } from "../planning/needs.ts";
import type { PlanData } from "../planning/plan.ts";
import { isUnfit, readService } from "../plugins/stored-options.ts";
import { endQueued } from "./end-queued.ts";
import { planOf } from "./stored-plans.ts";
import type { EngineParts } from "../planning/task-engine.ts";

/** A task that this instance cannot finish with the plugins it has: it stays as it is, for one that can. */
export interface StrandedTask {
  readonly task: string;
  readonly type: string;
  readonly state: TaskState;
  /** What the instance lacks, in words: `operation copy-tree@1 (hostwright-copy)`. */
  readonly missing: readonly string[];
}

interface Verdict {
  readonly missing: readonly string[];
  /** Plans and plugins stay as they are; records do not. */
  readonly final: boolean;
}

const OPEN: readonly TaskState[] = ["queued", "running", "cancelling", "undoing"];
const NOTHING: Verdict = { missing: [], final: true };

/** Judges before a claim whether this instance knows all that a task's plan names (decisions.md D4). */
export class Stranding {
  readonly #parts: EngineParts;
  readonly #events: Events;
  /** A plan is opened once, however often its task is looked at before its end. */
  readonly #verdicts = new Map<string, Verdict>();
  readonly #stranded = new Set<string>();
  readonly #told = new Set<string>();
  readonly #watch: HolderWatch;

  constructor(parts: EngineParts, events: Events) {
    this.#parts = parts;
    this.#events = events;
    this.#watch = new HolderWatch(parts.store.reach);
  }

  /** Tasks that are known to be stranded: the queue passes them over. */
  get ids(): ReadonlySet<string> {
    return this.#stranded;
  }

  /**
   * Is the task to be left alone? Then an event says so, once. A request that is yet to be planned is only where nobody
   * knows its type.
   */
  async leaves(taskId: string): Promise<boolean> {
    let verdict = this.#verdicts.get(taskId);
    if (verdict === undefined) {
      const task = await this.#parts.store.tasks.get(taskId);
      if (task === null || (task.plan === null && this.#parts.tasks.has(task.type))) return false;
      verdict = await this.#judge(task);
      this.#verdicts.set(taskId, verdict);
      if (verdict.missing.length > 0) this.#stranded.add(taskId);
    }
    const { missing } = verdict;
    if (missing.length === 0) return false;
    if (!this.#told.has(taskId) && !(await this.#worked()).has(taskId) && !this.#told.has(taskId)) {
      this.#told.add(taskId);
      await this.#events.emit(taskId, "task:stranded", { missing });
    }
    return true;
  }

  /** Every stranded task, in the order of submission. */
  async list(): Promise<readonly StrandedTask[]> {
    const stranded: StrandedTask[] = [];
    const worked = await this.#worked();
    const { tasks } = this.#parts.store;
    for (const { id } of await tasks.list({ states: OPEN })) {
      const task = worked.has(id) ? null : await tasks.get(id);
      const { missing } = task === null ? NOTHING : await this.#judge(task);
      if (task !== null && missing.length > 0) stranded.push({ task: id, type: task.type, state: task.state, missing });
      await nextTurn();
    }
    return stranded;
  }

  /** Looks at every task that waits or was left, so that each that is stranded is told when a worker starts. */
  async tell(stop: AbortSignal): Promise<void> {
    for (const { id } of await this.#parts.store.tasks.list({ states: OPEN })) {
      if (stop.aborted) return;
      await this.leaves(id);
      await nextTurn();
    }
  }

  /** Forgets tasks that have ended, and what may be otherwise by now. */
  async refresh(): Promise<void> {
    for (const [id, { final }] of this.#verdicts) {
      const state = await this.#parts.store.tasks.state(id);
      const open = state !== null && OPEN.includes(state);
      if (!open) this.forget(id);
      else if (!final) this.#drop(id);
    }
  }

  /** To be called at a task's end, or when this instance has no more to do with it. */
  forget(taskId: string): void {
    this.#told.delete(taskId);
    this.#drop(taskId);
  }

  #drop(taskId: string): void {
    this.#verdicts.delete(taskId);
    this.#stranded.delete(taskId);
  }

  /** @throws HW_PLUGIN_MISSING */
  async require(task: StoredTask): Promise<void> {
    const { missing } = await this.#judge(task);
    if (missing.length > 0) throw strandedError(task.id, missing, "It was left as it is.");
  }

  /** Ends a queued task that was to be run here and now, if it is stranded. */
  async refuse(taskId: string): Promise<void> {
    const missing = this.#verdicts.get(taskId)?.missing ?? [];
    if (missing.length === 0) return;
    await endQueued(this.#parts, this.#events, taskId, strandedError(taskId, missing, "Nothing was changed."));
  }

  /** Tasks that another worker is at, with plugins of its own. */
  async #worked(): Promise<ReadonlySet<string>> {
    const leases = (await this.#parts.store.leases.list()).filter(({ scope, task }) => scope === `task/${task}`);
    const dead = this.#watch.dead(leases);
    return new Set(leases.filter((lease) => !dead.has(lease)).map(({ task }) => task));
  }

  async #judge(task: StoredTask): Promise<Verdict> {
    if (task.plan === null) {
      // Whoever plans it says what it lacks; who does not know its type leaves it to whoever does.
      return this.#parts.tasks.has(task.type) ? NOTHING : { missing: [`task type ${task.type}`], final: true };
    }
    // Whoever works it says why its plan cannot be opened.
    const plan = await planOf(this.#parts, task, { begun: true }).catch((error: unknown) => {
      if (isHostwrightError(error) && ["HW_PLAN_FORGED", "HW_NOT_FOUND"].includes(error.code)) return null;
      throw error;
    });
    if (plan === null) return NOTHING;
    const { registry, operations } = this.#parts;
    const missing = missingNeeds(registry, operations, plan.needs).map(showNeed);
    const unfit = await this.#unfitOptions(plan);
    return { missing: [...missing, ...unfit], final: unfit.length === 0 };
  }

  /** Resource types ask for the options of the services that brought them: those must be ones that they know. */
  async #unfitOptions({ needs, actions }: PlanData): Promise<readonly string[]> {
    const { registry, store } = this.#parts;
    const plugins = new Set(needs.map((need) => need.plugin));
    const unfit: string[] = [];
    for (const id of new Set(actions.map((action) => action.server))) {
      const server = (await store.records.get("server", id))?.value as ServerRecord | undefined;
      for (const service of server?.services ?? []) {
        try {
          if (server !== undefined) readService(registry, server, service);
        } catch (error) {
          if (!isUnfit(error)) throw error;
          if (plugins.has(String(error.data["plugin"]))) unfit.push(error.message);
        }
      }
    }
    return unfit;
  }
}

function strandedError(taskId: string, missing: readonly string[], left: string): HostwrightError {
  return new HostwrightError(
    "HW_PLUGIN_MISSING",
    `Task ${taskId} needs what no loaded plugin brings: ${missing.join(", ")}. ${left}`,
    { remedy: "Load the plugins that bring it, in these versions.", data: { missing } },
  );
}
