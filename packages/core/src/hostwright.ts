import { Container } from "./di/container.ts";
import type { Server } from "./contracts/server.ts";
import { HostwrightError } from "./errors/hostwright-error.ts";
import { Access, SYSTEM, type Actor, type Policy, type PolicyObject } from "./api/access.ts";
import { objectOf } from "./api/policy-object.ts";
import { Plan, type PlanApproval } from "./api/plan.ts";
import { Platforms } from "./api/platforms.ts";
import { Servers } from "./api/servers.ts";
import { Sites } from "./api/sites.ts";
import { Task } from "./api/task.ts";
import type { HostwrightEvent, Listener } from "./engine/events.ts";
import type { HostwrightOptions } from "./options.ts";
import { defaultParts, PART } from "./parts.ts";
import type { PlanData } from "./engine/plan.ts";
import type { Resolution } from "./engine/worker.ts";
import { newId } from "./model/ids.ts";
import { openPlan, parseRequest, planHash, planRequest, sealPlan, type TaskRequest } from "./engine/task-engine.ts";
import { openState } from "./store/open-state.ts";

export interface RunOptions {
  /** Called for each event of the task from its start on, in order. */
  readonly onEvent?: Listener;
  /** Aborting stops the task; everything that was done is undone. */
  readonly signal?: AbortSignal;
}

/**
 * Opens an instance: parts, plugins and store. Claims no task and touches no server.
 * @throws HW_PLUGIN_INVALID, HW_INPUT_INVALID (the key), HW_STORE_INCOMPATIBLE, HW_STORE_EXPOSED, HW_STORE_BUSY,
 * HW_HOST_UNSUPPORTED
 */
export async function createHostwright(options: HostwrightOptions): Promise<Hostwright> {
  const state = await openState(options);
  try {
    const container = new Container(defaultParts(options, state), options.provide ?? []);
    container.get(PART.telemetry);
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
    const { store, registry, vault, pool } = container.get(PART.engine);
    this.#container = container;
    this.#access = access;
    this.#policy = policy;
    this.servers = new Servers(store.records, registry, vault, pool, access);
    this.platforms = new Platforms(store.records, registry, access);
    this.sites = new Sites(store.records, access);
  }

  /** The same facade for somebody else: bound to that actor's rights, and its tasks are recorded as that actor's. */
  as(actor: Actor): Omit<Hostwright, "work" | "as" | "connections" | typeof Symbol.asyncDispose> {
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
    const { parsed } = parseRequest(engine, request);
    await this.#access.require(request.type, await objectOf(engine.store.records, parsed as Record<string, unknown>));
    const taskId = newId("t", 16);
    const data = await planRequest(engine, request, taskId, options.signal ?? new AbortController().signal);
    await this.#container.get(PART.vault).put(`plan/${data.id}`, `${data.task} ${sealPlan(engine.box, data)}`);
    return new Plan(data);
  }

  /**
   * Puts a request, planned when it is worked, or an approved plan into the queue; `work` or `run` works it. The same
   * `key`, request and actor give the same task. Default: no key, each submit is a task of its own.
   * An approval by id and hash runs that stored plan, from whatever process it comes, and nothing that came back with it.
   * @throws HW_INPUT_INVALID, HW_FORBIDDEN, HW_NOT_FOUND, HW_PLAN_FORGED, HW_PLAN_EXPIRED, HW_KEY_REUSED
   */
  async submit(what: TaskRequest | Plan | PlanApproval, options: { readonly key?: string } = {}): Promise<Task> {
    const engine = this.#container.get(PART.engine);
    const { store } = engine;
    const approved = "type" in what ? null : await this.#approved(what instanceof Plan ? what.approval : what);
    const data = approved?.data;
    const request = data === undefined ? parseRequest(engine, what as TaskRequest).parsed : data.request;
    await this.#access.require(
      (request as TaskRequest).type,
      await objectOf(store.records, request as Record<string, unknown>),
    );
    const id = data?.task ?? newId("t", 16);
    const createdAt = new Date().toISOString();
    const task = await store.tasks.submit({
      id,
      type: (request as TaskRequest).type,
      request,
      plan: approved?.sealed ?? null,
      actor: this.#access.actor.id,
      key: options.key ?? null,
      createdAt,
    });
    // The same key gives the task that is there: it was told of already.
    if (task.id !== id || task.createdAt !== createdAt) return this.task(task.id);
    const title = data?.title ?? (request as TaskRequest).type;
    await this.#container
      .get(PART.events)
      .emit(task.id, "task:submitted", { type: task.type, title, actor: task.actor });
    return this.task(task.id);
  }

  /**
   * Submits and works one task here and now; waits while others hold its leases. @returns its value. @throws the error
   * that stopped it. Then everything that was done is undone (`error.data.state` is `undone`), or listed in
   * `error.data.residue` (`needs-attention`).
   */
  async run(
    what: TaskRequest | Plan | PlanApproval,
    options: RunOptions = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#refuseClosed();
    const events = this.#container.get(PART.events);
    let own: string | null = null;
    const stop = events.listen((event) => {
      if (event.task === own && own !== null) options.onEvent?.(event);
    });
    try {
      const task = await this.submit(what);
      own = task.id;
      const working = this.#container.get(PART.worker).work(task.id, options.signal ?? new AbortController().signal);
      this.#working.add(working);
      await working.finally(() => this.#working.delete(working));
      return await task.result();
    } finally {
      stop();
    }
  }

  /** A handle of a task by its id; whether it exists is found out by its use. */
  task(id: string): Task {
    const { store } = this.#container.get(PART.engine);
    const [vault, events] = [this.#container.get(PART.vault), this.#container.get(PART.events)];
    const resolve = async (taskId: string, how: Resolution): Promise<unknown> =>
      this.#container.get(PART.worker).resolve(taskId, how);
    return new Task(id, { store, vault, events, access: this.#access, resolve });
  }

  /**
   * Works queued tasks, at most `concurrency` at once (default 4), until it is disposed; what runs then is finished
   * first. Several workers, in this process or others on this machine, share the queue (decisions.md D39).
   */
  work(options: { readonly concurrency?: number } = {}): AsyncDisposable {
    this.#refuseClosed();
    return this.#container.get(PART.queue).work(this.#container.get(PART.worker), options.concurrency ?? 4);
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

  /** Open servers, for their counts of connections and round trips. */
  async connections(): Promise<readonly Pick<Server, "name" | "stats">[]> {
    return this.#container.get(PART.pool).opened();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#working);
    this.#container.get(PART.telemetry)[Symbol.dispose]();
    await this.#container.get(PART.pool).close();
    await this.#container.get(PART.engine).store.close();
  }

  /** As it was sealed when it was made: the same plan under the same key is the same submission. */
  async #approved({ plan, hash }: PlanApproval): Promise<{ readonly data: PlanData; readonly sealed: string }> {
    const { store, vault, box } = this.#container.get(PART.engine);
    const id = `plan/${plan}`;
    if (!(await store.secrets.get([id])).has(id)) {
      throw new HostwrightError("HW_NOT_FOUND", `There is no plan "${plan.slice(0, 100)}". Nothing was run.`);
    }
    const [task = "", sealed = ""] = (await vault.load([id])).get(id)?.split(" ") ?? [];
    const data = openPlan(box, { id: task, plan: sealed });
    if (planHash(data) === hash) return { data, sealed };
    throw new HostwrightError(
      "HW_PLAN_FORGED",
      `The approval names another content of plan ${plan}. Nothing was run.`,
      {
        mend: "Read the plan that is stored, and approve its hash.",
      },
    );
  }

  #refuseClosed(): void {
    if (this.#closed) throw new HostwrightError("HW_TASK_STATE", "This Hostwright instance is closed.");
  }
}
