import * as z from "zod";
import { Container } from "./di/container.ts";
import type { StoredPlan } from "./contracts/store.ts";
import type { Server } from "./contracts/server.ts";
import { HostwrightError } from "./errors/hostwright-error.ts";
import { Access, SYSTEM, type Actor, type Policy, type PolicyObject } from "./api/access.ts";
import { objectOf, subjectOf } from "./api/policy-object.ts";
import { Plan } from "./api/plan.ts";
import { Platforms } from "./api/platforms.ts";
import { Servers } from "./api/servers.ts";
import { Sites } from "./api/sites.ts";
import { visibleStranded } from "./api/stranded.ts";
import { Task } from "./api/task.ts";
import type { StrandedTask } from "./engine/workers/stranding.ts";
import type { HostwrightEvent, Listener } from "./engine/events.ts";
import { raiseEpoch, type RaisedEpoch } from "./engine/workers/raise-epoch.ts";
import { checkOptions, type HostwrightOptions } from "./options.ts";
import { defaultParts, PART } from "./parts.ts";
import type { PlanApproval } from "./engine/planning/plan.ts";
import type { Resolution } from "./engine/workers/worker.ts";
import { newId } from "./model/ids.ts";
import { parseInput } from "./model/parse.ts";
import { parseRequest, type TaskRequest } from "./engine/planning/task-engine.ts";
import { makeStoredPlan } from "./engine/workers/stored-plans.ts";
import { openState } from "./store/open-state.ts";

const Timeout = z.int().min(1).max(2_147_483_647).nullable();

export interface SubmitOptions {
  /** The same `key`, request and actor give the same task. Default: none, each submit is a task of its own. */
  readonly key?: string;
  /**
   * Milliseconds after which whoever works it cancels it and undoes what was done (HW_TASK_TIMEOUT), counted from the
   * beginning of the work, waiting for others included. Default: none; single commands have limits of their own.
   */
  readonly timeoutMs?: number;
}

export interface RunOptions {
  /** Called for each event of the task from its start on, in order. */
  readonly onEvent?: Listener;
  /** Aborting stops the task; everything that was done is undone. */
  readonly signal?: AbortSignal;
}

/**
 * Opens an instance: parts, plugins and store. Claims no task and touches no server.
 * @throws HW_PLUGIN_INVALID, HW_INPUT_INVALID (an option, the key), HW_STORE_INCOMPATIBLE, HW_STORE_EXPOSED, HW_STORE_BUSY,
 * HW_HOST_UNSUPPORTED
 */
export async function createHostwright(options: HostwrightOptions): Promise<Hostwright> {
  checkOptions(options);
  const state = await openState(options);
  try {
    const container = new Container(defaultParts(options, state), options.provide ?? []);
    container.get(PART.telemetry);
    await container.get(PART.notifying).begin();
    return new Hostwright(container, new Access(SYSTEM, options.policy ?? null), options.policy ?? null);
  } catch (error) {
    await state.store.close();
    throw error;
  }
}

/** The facade: records, plans and tasks. Closing it finishes what runs and closes every connection. */
export class Hostwright implements AsyncDisposable {
  readonly servers: Servers;
  readonly platforms: Platforms;
  readonly sites: Sites;
  readonly #container: Container;
  readonly #access: Access;
  readonly #policy: Policy | null;
  readonly #working = new Set<Promise<unknown>>();
  #closed = false;

  /** Use `createHostwright`. */
  constructor(container: Container, access: Access, policy: Policy | null) {
    const { store, registry, vault, pool, box } = container.get(PART.engine);
    this.#container = container;
    this.#access = access;
    this.#policy = policy;
    this.servers = new Servers(store.records, registry, vault, pool, access);
    this.platforms = new Platforms(store.records, registry, box.hasKey, access);
    this.sites = new Sites(store.records, vault, access);
  }

  /** The same facade for somebody else: bound to that actor's rights, and its tasks are recorded as that actor's. */
  as(actor: Actor): Omit<Hostwright, "work" | "as" | "connections" | "raiseEpoch" | typeof Symbol.asyncDispose> {
    return new Hostwright(this.#container, new Access(actor, this.#policy), this.#policy);
  }

  /**
   * Computes what a request would do now, from facts read from the servers; none is changed. The plan is kept, sealed,
   * for 24 hours. An empty plan means that everything stands as wanted. @throws HW_INPUT_INVALID, HW_FORBIDDEN,
   * HW_NOT_FOUND; what stands in the way: HW_PREREQUISITE_MISSING, HW_DOMAIN_TAKEN, HW_NAME_TAKEN,
   * HW_RESOURCE_CONFLICT, HW_RESOURCE_FOREIGN, HW_PLATFORM_INVALID ...; and what a server's connection throws.
   */
  async plan(request: TaskRequest, options: { readonly signal?: AbortSignal } = {}): Promise<Plan> {
    const engine = this.#container.get(PART.engine);
    engine.box.requireKey("plan()");
    await this.#requireAllowed(this.#parse(request));
    const data = await makeStoredPlan(engine, request, options.signal ?? new AbortController().signal);
    return new Plan(data);
  }

  /**
   * Puts a request, planned when it is worked, or an approved plan into the queue; `work` or `run` works it.
   * An approval by id and hash runs that stored plan, from whatever process it comes, and nothing that came back with it.
   * @throws HW_INPUT_INVALID, HW_FORBIDDEN, HW_NOT_FOUND, HW_PLAN_FORGED, HW_PLAN_EXPIRED, HW_KEY_REUSED
   */
  async submit(what: TaskRequest | Plan | PlanApproval, options: SubmitOptions = {}): Promise<Task> {
    const engine = this.#container.get(PART.engine);
    const { store } = engine;
    const approved = "type" in what ? null : await this.#approved(what instanceof Plan ? what.approval : what);
    // As it was when it was planned, also for newer code.
    const request = approved === null ? this.#parse(what as TaskRequest) : (approved.request as TaskRequest);
    await this.#requireAllowed(request);
    const id = approved?.task ?? newId("t", 16);
    const createdAt = new Date().toISOString();
    const task = await store.tasks.submit({
      id,
      type: request.type,
      request,
      plan: approved === null ? null : { plan: approved.id, hash: approved.hash },
      actor: this.#access.actor.id,
      key: options.key ?? null,
      timeoutMs: parseInput(Timeout, options.timeoutMs ?? null, "timeoutMs"),
      createdAt,
    });
    // The same key gives the task that is there: it was told of already.
    if (task.id !== id || task.createdAt !== createdAt) return this.task(task.id);
    const title = approved?.title ?? request.type;
    await this.#container
      .get(PART.events)
      .emit(task.id, "task:submitted", { type: task.type, title, actor: task.actor });
    return this.task(task.id);
  }

  /**
   * Submits and works one task here and now; waits while others hold its leases. @returns its value. @throws the error
   * that stopped it. Then everything that was done is undone (`error.data.state` is `undone`), or listed in
   * `error.data.residue` (`needs-attention`). An approved plan that the plugins here could not finish is HW_PLUGIN_MISSING.
   */
  async run(
    what: TaskRequest | Plan | PlanApproval,
    options: RunOptions = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#refuseClosed();
    this.#container.get(PART.engine).box.requireKey("run()");
    const events = this.#container.get(PART.events);
    let own: string | null = null;
    const stop = events.listen((event) => {
      if (event.task === own && own !== null) options.onEvent?.(event);
    });
    try {
      const task = await this.submit(what);
      own = task.id;
      const worker = this.#container.get(PART.worker);
      const working = worker.work(task.id, options.signal ?? new AbortController().signal);
      this.#working.add(working);
      await working.finally(() => this.#working.delete(working));
      await worker.stranding.refuse(task.id);
      return await task.result();
    } finally {
      stop();
    }
  }

  /** A handle of a task by its id; whether it exists is found out by its use. */
  task(id: string): Task {
    const { store, box } = this.#container.get(PART.engine);
    const events = this.#container.get(PART.events);
    const vault = box.hasKey ? this.#container.get(PART.vault) : null;
    const resolve = async (taskId: string, how: Resolution): Promise<unknown> => {
      box.requireKey("resolve()");
      return this.#container.get(PART.worker).resolve(taskId, how);
    };
    return new Task(id, { store, vault, events, access: this.#access, resolve });
  }

  /**
   * Works queued tasks, at most `concurrency` at once (default 4), until it is disposed; what runs then is handed over at
   * the end of its present action, and goes on where somebody works next. A task that only waits for others
   * (`Task.waiting`) leaves its turn to the next, up to four for each. Several workers, in this process or others on this
   * machine, share the queue (decisions.md D39). Meanwhile the instance's notifiers are at work too.
   */
  work(options: { readonly concurrency?: number } = {}): AsyncDisposable {
    this.#refuseClosed();
    this.#container.get(PART.engine).box.requireKey("work()");
    const notifying = this.#container.get(PART.notifying).work();
    const queue = this.#container.get(PART.queue).work(this.#container.get(PART.worker), options.concurrency ?? 4);
    return {
      [Symbol.asyncDispose]: async () => {
        await queue[Symbol.asyncDispose]();
        await notifying[Symbol.asyncDispose]();
      },
    };
  }

  /**
   * Tasks that this instance cannot finish because its plugins lack what their plans name, whichever process waits for
   * them: queued, or left by a worker that died. They stay as they are until a worker that has it comes; a queued one may
   * be cancelled. Each is told as `task:stranded` when a worker starts.
   */
  async stranded(): Promise<readonly StrandedTask[]> {
    const { box, store } = this.#container.get(PART.engine);
    box.requireKey("stranded()");
    return visibleStranded(await this.#container.get(PART.worker).stranding.list(), store, this.#access);
  }

  /**
   * The one event stream after a cursor (an event's `seq`; default 0, from the beginning): replays, then follows until
   * `signal` is aborted. At least once; `seq` rises, with leaps.
   */
  async *events(
    options: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<HostwrightEvent> {
    const { after = 0, signal } = options;
    const { tasks, records } = this.#container.get(PART.engine).store;
    const seen = new Map<string, boolean>();
    for await (const event of this.#container.get(PART.events).after(after, signal === undefined ? {} : { signal })) {
      const id = event.task ?? "";
      if (seen.size > 1000) seen.clear();
      if (!seen.has(id)) {
        const task = await tasks.get(id);
        const object = async (): Promise<PolicyObject> =>
          objectOf(records, (task?.request ?? {}) as Record<string, unknown>);
        seen.set(id, await this.#access.seesTask(task?.actor ?? "", object));
      }
      if (seen.get(id) === true) yield event;
    }
  }

  /**
   * To be called once after the state store was restored from a backup, before any other work with it, and when no process
   * of the former store runs any more, as far as you can tell. Raises the epoch of the store, so that workers of the store
   * that was lost change nothing more on any server. Tasks that were unfinished in the backup need attention from then on:
   * none is resumed or undone by itself, since it may have been finished after the backup. Unix ids in use on the servers
   * are not given out again. Sites that were made after the backup are unknown: they go on being served, nothing of them is
   * touched, and their names are refused to others (HW_NAME_TAKEN). What was deleted after it is what verify shows as
   * missing. Calling it again does no harm. @throws HW_STORE_BUSY
   */
  async raiseEpoch(): Promise<RaisedEpoch> {
    this.#refuseClosed();
    this.#container.get(PART.engine).box.requireKey("raiseEpoch()");
    return raiseEpoch(this.#container.get(PART.engine), this.#container.get(PART.events));
  }

  /** Open servers, for their counts of connections and round trips. */
  async connections(): Promise<readonly Pick<Server, "name" | "stats">[]> {
    return this.#container.get(PART.pool).opened();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#working);
    await this.#container.get(PART.events).flush();
    this.#container.get(PART.telemetry)[Symbol.dispose]();
    await this.#container.get(PART.pool).close();
    await this.#container.get(PART.engine).store.close();
  }

  #parse(request: TaskRequest): TaskRequest {
    const engine = this.#container.get(PART.engine);
    const parsed = parseRequest(engine, request).parsed as TaskRequest;
    const subject = subjectOf(parsed);
    if (subject !== parsed) parseRequest(engine, subject);
    return parsed;
  }

  async #requireAllowed(request: TaskRequest): Promise<void> {
    const subject = subjectOf(request);
    const object = await objectOf(this.#container.get(PART.engine).store.records, subject);
    await this.#access.require(subject.type, object);
  }

  /** As it is stored in the clear; the worker compares all of it with what was sealed. */
  async #approved({ plan: id, hash }: PlanApproval): Promise<StoredPlan> {
    const stored = await this.#container.get(PART.engine).store.plans.get(id);
    if (stored === null || stored.sealed === null) {
      throw new HostwrightError("HW_NOT_FOUND", `There is no plan "${id.slice(0, 100)}". Nothing was run.`);
    }
    if (stored.hash !== hash) {
      throw new HostwrightError(
        "HW_PLAN_FORGED",
        `The approval names another content of plan ${id}. Nothing was run.`,
        {
          mend: "Read the plan that is stored, and approve its hash.",
        },
      );
    }
    if (Date.parse(stored.expiresAt) >= Date.now()) return stored;
    throw new HostwrightError("HW_PLAN_EXPIRED", `The plan ${id} was good until ${stored.expiresAt}. Nothing was run.`);
  }

  #refuseClosed(): void {
    if (this.#closed) throw new HostwrightError("HW_TASK_STATE", "This Hostwright instance is closed.");
  }
}
