import { Container, type Provider } from "./di/container.ts";
import type { Plugin } from "./contracts/plugin.ts";
import type { Server } from "./contracts/server.ts";
import { HostwrightError } from "./errors/hostwright-error.ts";
import { Access, objectOf, SYSTEM, type Actor, type Policy } from "./api/access.ts";
import { Plan } from "./api/plan.ts";
import { Platforms } from "./api/platforms.ts";
import { Servers } from "./api/servers.ts";
import { Sites } from "./api/sites.ts";
import { Task } from "./api/task.ts";
import type { HostwrightEvent, Listener } from "./engine/events.ts";
import { defaultParts, PART } from "./parts.ts";
import { newId } from "./model/ids.ts";
import type { Secret } from "./model/secret.ts";
import { parseRequest, planRequest, sealPlan, type TaskRequest } from "./engine/task-engine.ts";
import { openState } from "./store/open-state.ts";

export interface HostwrightOptions {
  /** Folder of the state store; made with mode 0700. */
  readonly stateDir: string;
  readonly plugins: readonly Plugin[];
  /** Key that seals secrets and plans; default: the file `key` in the state folder, made on first use. */
  readonly key?: { readonly key?: Secret | Uint8Array; readonly file?: string; readonly env?: string };
  /** Range that unix ids of sites are taken from; default 20000 to 59999. */
  readonly uids?: { readonly from: number; readonly to: number };
  /** Rules for actors other than the application itself; default: every actor may do everything. */
  readonly policy?: Policy;
  /** The application's own parts in place of default ones. */
  readonly provide?: readonly Provider<unknown>[];
}

export interface RunOptions {
  /** Called for each event of the task, in order. */
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/**
 * Opens an instance: parts, plugins and store. Claims no task and touches no server.
 * @throws HW_PLUGIN_INVALID, HW_STORE_INCOMPATIBLE, HW_INPUT_INVALID
 */
export async function createHostwright(options: HostwrightOptions): Promise<Hostwright> {
  const state = await openState(options);
  try {
    const container = new Container(defaultParts(options, state), options.provide ?? []);
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
  as(actor: Actor): Omit<Hostwright, "work" | "as" | typeof Symbol.asyncDispose> {
    return new Hostwright(this.#container, new Access(actor, this.#policy), this.#policy);
  }

  /** Computes what a request would do now. Nothing is touched; the plan is kept until it expires. */
  async plan(request: TaskRequest, options: { readonly signal?: AbortSignal } = {}): Promise<Plan> {
    const engine = this.#container.get(PART.engine);
    const { parsed } = parseRequest(engine, request);
    await this.#access.require(request.type, objectOf(parsed as Record<string, unknown>));
    const taskId = newId("t", 16);
    const data = await planRequest(engine, request, taskId, options.signal ?? new AbortController().signal);
    await this.#container.get(PART.vault).put(`plan/${data.id}`, JSON.stringify(data));
    return new Plan(data);
  }

  /**
   * Submits a request, planned when it is worked, or an approved plan. The same key and request give the same task.
   * @throws HW_INPUT_INVALID, HW_PLAN_EXPIRED, HW_KEY_REUSED
   */
  async submit(what: TaskRequest | Plan, options: { readonly key?: string } = {}): Promise<Task> {
    const engine = this.#container.get(PART.engine);
    const { store, box } = engine;
    const data = what instanceof Plan ? await this.#approved(what) : null;
    const request = data === null ? parseRequest(engine, what as TaskRequest).parsed : data.request;
    await this.#access.require((request as TaskRequest).type, objectOf(request as Record<string, unknown>));
    const task = await store.tasks.submit({
      id: data?.task ?? newId("t", 16),
      type: (request as TaskRequest).type,
      request,
      plan: data === null ? null : sealPlan(box, data),
      actor: this.#access.actor.id,
      key: options.key ?? null,
      createdAt: new Date().toISOString(),
    });
    const title = data?.title ?? (request as TaskRequest).type;
    await this.#container.get(PART.events).emit(task.id, "task:submitted", { type: task.type, title, actor: task.actor });
    return this.task(task.id);
  }

  /**
   * Submits and works one task here and now. @returns its value. @throws the error that stopped it; everything that was
   * done is undone then, or listed as residue in `error.data`.
   */
  async run(what: TaskRequest | Plan, options: RunOptions = {}): Promise<Readonly<Record<string, unknown>>> {
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
    return new Task(id, { store, vault: this.#container.get(PART.vault), events: this.#container.get(PART.events) });
  }

  /** Works queued tasks until it is disposed; several share the queue (decisions.md D39). */
  work(options: { readonly concurrency?: number } = {}): AsyncDisposable {
    this.#refuseClosed();
    return this.#container.get(PART.queue).work(this.#container.get(PART.worker), options.concurrency ?? 4);
  }

  /** The one event stream from a cursor on: replays, then follows. */
  events(options: { readonly after?: number; readonly signal?: AbortSignal } = {}): AsyncIterable<HostwrightEvent> {
    const { after = 0, signal } = options;
    return this.#container.get(PART.events).after(after, signal === undefined ? {} : { signal });
  }

  /** Open servers, for their counts of connections and round trips. */
  async connections(): Promise<readonly Pick<Server, "name" | "stats">[]> {
    return this.#container.get(PART.pool).opened();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#working);
    await this.#container.get(PART.pool).close();
    await this.#container.get(PART.engine).store.close();
  }

  async #approved(plan: Plan): Promise<Parameters<typeof sealPlan>[1]> {
    const vault = this.#container.get(PART.vault);
    const data = JSON.parse((await vault.load([`plan/${plan.id}`])).get(`plan/${plan.id}`) ?? "null") as
      | Parameters<typeof sealPlan>[1]
      | null;
    if (data !== null && Date.parse(data.expiresAt) >= Date.now()) return data;
    throw new HostwrightError("HW_PLAN_EXPIRED", `The plan ${plan.id} was good until ${plan.expiresAt}. Nothing was run.`);
  }

  #refuseClosed(): void {
    if (this.#closed) throw new HostwrightError("HW_TASK_STATE", "This Hostwright instance is closed.");
  }
}
