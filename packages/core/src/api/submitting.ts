import * as z from "zod";
import type { StoredPlan, StoredTask, TaskSubmission } from "../contracts/store.ts";
import type { PlainRequest, TaskRequest } from "../contracts/task.ts";
import { HostwrightError, isHostwrightError } from "../errors/hostwright-error.ts";
import type { Events } from "../engine/events.ts";
import type { PlanApproval } from "../engine/planning/plan.ts";
import { parseRequest, parseRequests, subjectOf, titleOf } from "../engine/planning/parse-request.ts";
import { taskIdOf, type EngineParts } from "../engine/planning/task-engine.ts";
import { firstWants } from "../engine/workers/first-wants.ts";
import { newId } from "../model/ids.ts";
import { parseInput } from "../model/parse.ts";
import type { Access } from "./access.ts";
import { Plan } from "./plan.ts";
import { objectOf, objectsOf, rightsTo } from "../engine/planning/policy-object.ts";
import { timeText } from "../model/time.ts";

export interface SubmitOptions {
  /** The same `key`, request and actor give the same task. Default: none, each submit is a task of its own. */
  readonly key?: string;
  /**
   * Milliseconds after which whoever works it cancels it and undoes what was done (HW_TASK_TIMEOUT), counted from the
   * beginning of the work; time in the queue does not count. Default: none; single commands have limits of their own.
   */
  readonly timeoutMs?: number;
}

/** What is asked for: a request, a plan, or the approval of one. */
export type Asked<Value = unknown> = TaskRequest<Value> | Plan<Value> | PlanApproval;

const Timeout = z.int().min(1).max(2_147_483_647).nullable();

/** Takes requests and approvals into the queue, for one actor. */
export class Submitting {
  readonly #engine: EngineParts;
  readonly #events: Events;
  readonly #access: Access;

  constructor(engine: EngineParts, events: Events, access: Access) {
    this.#engine = engine;
    this.#events = events;
    this.#access = access;
  }

  /** @throws HW_INPUT_INVALID, HW_FORBIDDEN */
  async allowed(request: PlainRequest): Promise<PlainRequest> {
    const judged = parseRequest(this.#engine, request).request;
    const rights = await rightsTo(this.#engine, judged);
    await parseRequests(this.#engine, rights);
    await this.#requireAllowed(rights);
    return judged;
  }

  /** The id of the task. What was stored stands, whatever becomes of the telling of it. See `Hostwright.submit`. */
  async submit(what: Asked, options: SubmitOptions = {}): Promise<string> {
    const approved = "type" in what ? null : await this.#approved(what instanceof Plan ? what.approval : what);
    // As it was when it was planned, also for newer code.
    const request = approved === null ? await this.allowed(what as PlainRequest) : (approved.request as PlainRequest);
    if (approved !== null) await this.#requireAllowed(await rightsTo(this.#engine, request));
    const id = approved?.task ?? newId("t", 16);
    const createdAt = timeText(this.#engine.clock);
    // All that may fail comes before it is stored.
    const title = approved?.title ?? titleOf(this.#engine, request);
    const { name: about } = await objectOf(this.#engine, request);
    const plan = approved === null ? null : { plan: approved.id, hash: approved.hash };
    const task = await this.#store(approved, {
      id,
      type: request.type,
      request,
      plan,
      actor: this.#access.actor.id,
      about,
      key: options.key ?? null,
      timeoutMs: parseInput(Timeout, options.timeoutMs ?? null, "timeoutMs"),
      createdAt,
    });
    // The same key gives the task that is there: it was told of already.
    if (task.id !== id || task.createdAt !== createdAt) return task.id;
    await this.#events.emit(task.id, "task:submitted", { type: task.type, title, actor: task.actor });
    return task.id;
  }

  async #store(approved: StoredPlan | null, task: TaskSubmission): Promise<StoredTask> {
    try {
      const { store } = this.#engine;
      const about = subjectOf(this.#engine, task.request as PlainRequest);
      return await store.tasks.submit(task, await firstWants(store.records, task.id, about));
    } catch (error) {
      if (approved !== null && isHostwrightError(error) && error.code === "HW_TASK_STATE")
        await this.#refuseSecond(approved.id, approved.task);
      throw error;
    }
  }

  /** @throws HW_TASK_STATE when a plan has its task already, which says more than what else is wrong with it. */
  async #refuseSecond(plan: string, task: string): Promise<void> {
    const { tasks } = this.#engine.store;
    const before = await tasks.get(task);
    if (before === null) return;
    const title = titleOf(this.#engine, before.request as PlainRequest);
    throw new HostwrightError(
      "HW_TASK_STATE",
      `Plan ${plan} (${title}) was submitted before: its task ${task} is ${before.state}. Nothing was submitted.`,
      {
        remedy: "Follow its task with `task(id)`. To do the same once more, plan again: a plan runs once.",
        data: { plan, task, state: before.state },
      },
    );
  }

  async #requireAllowed(requests: readonly PlainRequest[]): Promise<void> {
    const asked = new Set<string>();
    for (const request of requests) {
      for (const object of await objectsOf(this.#engine, request)) {
        const question = `${request.type} ${object.kind} ${object.name}`;
        if (asked.has(question)) continue;
        asked.add(question);
        await this.#access.require(request.type, object);
      }
    }
  }

  /** As it is stored in the clear; the worker compares all of it with what was sealed. */
  async #approved({ plan: id, hash }: PlanApproval): Promise<StoredPlan> {
    const stored = await this.#engine.store.plans.get(id);
    if (stored === null || stored.sealed === null) {
      await this.#refuseSecond(id, taskIdOf(id));
      throw new HostwrightError("HW_NOT_FOUND", `There is no plan "${id.slice(0, 100)}". Nothing was run.`);
    }
    if (stored.hash !== hash) {
      throw new HostwrightError(
        "HW_PLAN_FORGED",
        `The approval names another content of plan ${id}. Nothing was run.`,
        {
          remedy: "Read the plan that is stored, and approve its hash.",
        },
      );
    }
    if (Date.parse(stored.expiresAt) >= this.#engine.clock.now()) return stored;
    await this.#refuseSecond(id, stored.task);
    throw new HostwrightError("HW_PLAN_EXPIRED", `The plan ${id} was good until ${stored.expiresAt}. Nothing was run.`);
  }
}
