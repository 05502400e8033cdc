import * as z from "zod";
import type { Container } from "./contracts/part.ts";
import type { Server } from "./model/server.ts";
import { Access, SYSTEM, type Actor, type Policy } from "./api/access.ts";
import type { StateProblem } from "./api/checks/check.ts";
import { checkState } from "./api/checks/check-state.ts";
import { bound, ended, Lifetime } from "./api/lifetime.ts";
import { Plan } from "./api/plan.ts";
import { Platforms } from "./api/platforms.ts";
import { Removing } from "./api/removing.ts";
import { Running, type RunOptions } from "./api/running.ts";
import { Servers } from "./api/servers.ts";
import { Sites } from "./api/sites.ts";
import { visibleStranded } from "./api/stranded.ts";
import { Submitting, type Asked, type SubmitOptions } from "./api/submitting.ts";
import { Task } from "./api/task.ts";
import { Tasks } from "./api/tasks.ts";
import { visibleEvents } from "./api/visible-events.ts";
import type { StrandedTask } from "./engine/workers/stranding.ts";
import type { HostwrightEvent } from "./engine/events.ts";
import { maintainAll, type Maintained } from "./engine/maintenance/maintain.ts";
import { raiseEpoch, type RaisedEpoch } from "./engine/workers/raise-epoch.ts";
import { HostwrightError } from "./errors/hostwright-error.ts";
import { checkOptions, type HostwrightOptions } from "./options.ts";
import { PART } from "./parts.ts";
import { resolveTask, type Resolution } from "./engine/workers/resolve.ts";
import type { PlainRequest, TaskRequest, TaskValue } from "./contracts/task.ts";
import { parseRequest } from "./engine/planning/parse-request.ts";
import { makeStoredPlan } from "./engine/workers/stored-plans.ts";
import { parseInput } from "./model/parse.ts";
import { openState, type OpenState } from "./store/open-state.ts";

const Cursor = z.union([z.int().min(0), z.literal("now")], 'a cursor: the seq of an event, or "now"');
const Concurrency = z.int().min(1);

export type { RunOptions } from "./api/running.ts";
export type { SubmitOptions } from "./api/submitting.ts";

/**
 * Opens an instance: parts, plugins and store. Claims no task and touches no server.
 * @throws HW_PLUGIN_INVALID, HW_INPUT_INVALID (an option, the key), HW_STORE_INCOMPATIBLE, HW_STORE_DAMAGED, HW_STORE_INCOMPLETE, HW_KEY_WRONG,
 * HW_STORE_EXPOSED, HW_STORE_BUSY, HW_STORE_FAILED, HW_PERMISSION_DENIED, HW_DISK_FULL, HW_HOST_UNSUPPORTED
 */
export async function createHostwright(options: HostwrightOptions): Promise<Hostwright> {
  checkOptions(options);
  const { wire } = await import("./wiring.ts");
  const container = wire(options);
  // Judged before anything is opened.
  container.get(PART.registry);
  const queue = container.get(PART.queue);
  let state: OpenState | undefined;
  try {
    state = await openState(options, container.get(PART.openKernel));
    container.hold(PART.state, state);
    container.get(PART.telemetry);
    await container.get(PART.notifying).begin();
    const life = new Lifetime();
    const policy = options.policy ?? null;
    return bound(life, new Hostwright(container, new Access(SYSTEM, policy), policy, life));
  } catch (error) {
    await ended([async () => queue[Symbol.asyncDispose]?.(), async () => state?.store.close()]);
    throw error;
  }
}

/**
 * The facade: records, plans and tasks. Closing it ends all that was begun with it and with every facade bound to it:
 * workers hand over what they have, what `run` has begun comes to its end, whatever only waits or plans stops, and every
 * connection is closed. Each call after that is refused: HW_CLOSED.
 */
export class Hostwright implements AsyncDisposable {
  readonly servers: Servers;
  readonly platforms: Platforms;
  readonly sites: Sites;
  readonly tasks: Tasks;
  readonly #container: Container;
  readonly #access: Access;
  readonly #policy: Policy | null;
  readonly #life: Lifetime;
  readonly #submitting: Submitting;
  #closed: Promise<void> | undefined;

  /** Use `createHostwright`. */
  constructor(container: Container, access: Access, policy: Policy | null, life: Lifetime) {
    const engine = container.get(PART.engine);
    const { store, registry, vault, pool, box } = engine;
    this.#container = container;
    this.#access = access;
    this.#policy = policy;
    this.#life = life;
    this.#submitting = new Submitting(engine, container.get(PART.events), access);
    const removing = new Removing(store, pool);
    this.servers = bound(life, new Servers(store.records, registry, vault, pool, removing, access));
    this.platforms = bound(life, new Platforms(store.records, registry, box.hasKey, removing, access));
    this.sites = bound(life, new Sites(store.records, vault, removing, access));
    this.tasks = bound(life, new Tasks(engine, access));
  }

  /** The same facade for somebody else: bound to that actor's rights, and its tasks are recorded as that actor's. */
  as(
    actor: Actor,
  ): Omit<
    Hostwright,
    "work" | "as" | "check" | "connections" | "maintain" | "raiseEpoch" | typeof Symbol.asyncDispose
  > {
    const access = new Access(actor, this.#policy);
    return bound(this.#life, new Hostwright(this.#container, access, this.#policy, this.#life));
  }

  /**
   * Computes what a request would do now, from facts read from the servers; none is changed. The plan is kept, sealed,
   * for 24 hours. An empty plan means that everything stands as wanted. @throws HW_INPUT_INVALID, HW_FORBIDDEN,
   * HW_NOT_FOUND; what stands in the way: HW_PREREQUISITE_MISSING, HW_DOMAIN_TAKEN, HW_NAME_TAKEN,
   * HW_RESOURCE_CONFLICT, HW_RESOURCE_FOREIGN, HW_PLATFORM_INVALID ...; and what a server's connection throws.
   */
  async plan<Value = TaskValue>(
    request: TaskRequest<Value>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Plan<Value>> {
    const engine = this.#container.get(PART.engine);
    engine.box.requireKey("plan()");
    await this.#submitting.allowed(request);
    const { closing } = this.#life;
    const signal = options.signal === undefined ? closing : AbortSignal.any([closing, options.signal]);
    try {
      return new Plan<Value>(await makeStoredPlan(engine, request, signal));
    } catch (error) {
      if (!signal.aborted) throw error;
      if (!closing.aborted) {
        const what = "The planning was cancelled by its caller. Nothing was changed.";
        throw new HostwrightError("HW_CANCELLED", what, { cause: error });
      }
      const what = "The instance was closed before the plan was made. Nothing was changed.";
      throw new HostwrightError("HW_CLOSED", what, { cause: error });
    }
  }

  /**
   * Puts a request, planned when it is worked, or an approved plan into the queue; `work` or `run` works it.
   * An approval by id and hash runs that stored plan, from whatever process it comes, and nothing that came back with it.
   * @throws HW_INPUT_INVALID, HW_DOMAIN_INVALID, HW_DOMAIN_RESERVED, HW_FORBIDDEN, HW_NOT_FOUND, HW_PLAN_FORGED, HW_PLAN_EXPIRED, HW_KEY_REUSED
   */
  async submit<Value = TaskValue>(what: Asked<Value>, options: SubmitOptions = {}): Promise<Task<Value>> {
    const id = await this.#submitting.submit(what, options);
    // What was stored stands: workers find it by themselves.
    void ended([async () => this.#container.get(PART.queue).announce(id)]);
    return this.task<Value>(id);
  }

  /**
   * Submits and works one task here and now; waits while others hold its leases. @returns its value. @throws the error
   * that stopped it. Then everything that was done is undone (`error.data.state` is `undone`), or listed in
   * `error.data.residue` (`needs-attention`). An approved plan that the plugins here could not finish is HW_PLUGIN_MISSING.
   */
  async run<Value = TaskValue>(what: Asked<Value>, options: RunOptions = {}): Promise<Value> {
    const engine = this.#container.get(PART.engine);
    engine.box.requireKey("run()");
    const parts = {
      engine,
      events: this.#container.get(PART.events),
      ends: this.#container.get(PART.ends),
      worker: this.#container.get(PART.worker),
      closing: this.#life.closing,
    };
    const running = new Running(parts, options);
    return running.run(async () => this.#task<Value>(await this.#submitting.submit(what)));
  }

  /**
   * A request that was made elsewhere, as JSON: judged by its task type here and now, so that it may be planned, submitted
   * and run. @throws HW_INPUT_INVALID, HW_DOMAIN_INVALID, HW_DOMAIN_RESERVED
   */
  request(json: unknown): TaskRequest<TaskValue> {
    return parseRequest(this.#container.get(PART.engine), json as PlainRequest).request as TaskRequest<TaskValue>;
  }

  /** A handle of a task by its id; whether it exists is found out by its use. */
  task<Value = TaskValue>(id: string): Task<Value> {
    return bound(this.#life, this.#task<Value>(id));
  }

  #task<Value>(id: string): Task<Value> {
    const { store, clock, box, tasks } = this.#container.get(PART.engine);
    const [events, ends] = [this.#container.get(PART.events), this.#container.get(PART.ends)];
    const { closing } = this.#life;
    const vault = box.hasKey ? this.#container.get(PART.vault) : null;
    const resolve = async (taskId: string, how: Resolution): Promise<unknown> => {
      box.requireKey("resolve()");
      return resolveTask(this.#container.get(PART.worker), store, taskId, how);
    };
    return new Task<Value>(id, { store, clock, tasks, vault, events, ends, access: this.#access, closing, resolve });
  }

  /**
   * Works queued tasks, at most `concurrency` at once (default 4), until it is disposed; what runs then is handed over at
   * the end of its present action, and goes on where somebody works next. Tasks of one site are worked one after the other
   * in the order of their submission; one that waits for others (`Task.waiting`) holds nothing and takes no turn. Several workers, in this process or in
   * others that have the store, share the queue (decisions.md D39). Meanwhile the instance's notifiers are at work too. @throws HW_INPUT_INVALID
   */
  work(options: { readonly concurrency?: number } = {}): AsyncDisposable {
    this.#container.get(PART.engine).box.requireKey("work()");
    const concurrency = parseInput(Concurrency, options.concurrency ?? 4, "work: concurrency");
    const parts = this.#container;
    const work = [
      parts.get(PART.queue).work(parts.get(PART.worker), concurrency),
      parts.get(PART.upkeep).work(),
      parts.get(PART.notifying).work(),
    ];
    return this.#life.keep({
      [Symbol.asyncDispose]: async () => ended(work.map((one) => async () => one[Symbol.asyncDispose]())),
    });
  }

  /**
   * Tasks that this instance cannot finish because its plugins lack what their plans name, whichever process waits for
   * them: queued, or left by a worker that died. They stay as they are until a worker that has it comes; a queued one may
   * be cancelled. Each is told as `task:stranded` when a worker starts.
   */
  async stranded(): Promise<readonly StrandedTask[]> {
    const { box } = this.#container.get(PART.engine);
    box.requireKey("stranded()");
    return visibleStranded(
      await this.#container.get(PART.worker).stranding.list(),
      this.#container.get(PART.engine),
      this.#access,
    );
  }

  /**
   * The one event stream after a cursor (an event's `seq`; default 0, from the beginning; `"now"`, from this call on):
   * replays, then follows until `signal` is aborted or the instance closed. At least once; `seq` rises, with leaps.
   */
  events(
    options: { readonly after?: number | "now"; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<HostwrightEvent> {
    const { signal } = options;
    const after = parseInput(Cursor, options.after ?? 0, "events: after");
    const events = this.#container.get(PART.events);
    const { closing } = this.#life;
    const from = after === "now" ? events.now() : Promise.resolve(after);
    // Whoever reads is told.
    from.catch(() => undefined);
    const following = { signal: signal === undefined ? closing : AbortSignal.any([closing, signal]) };
    const all = async function* (): AsyncGenerator<HostwrightEvent> {
      yield* events.after(await from, following);
    };
    return visibleEvents(all(), this.#container.get(PART.engine), this.#access);
  }

  /**
   * Looks at all of the state, for an operator: the files are whole, the key opens every secret, prior state and plan, records
   * have what their plugins take and name what there is, so do plans, and what is registered has an owner. Changes nothing and
   * asks no server; the databases are read in a thread of their own. @returns what is not as it must be, empty when all is well
   */
  async check(): Promise<readonly StateProblem[]> {
    return checkState(this.#container.get(PART.engine));
  }

  /**
   * Removes what is over by the option `retention` and clears it from the files, now and to its end, in steps between which
   * others write. Workers do the same by themselves, a step at a time; where none runs, call it once a day. `clean` is false
   * while other processes are in the way: what was erased is then still in a file. @throws HW_STORE_BUSY
   */
  async maintain(): Promise<Maintained> {
    return maintainAll(this.#container.get(PART.engine), this.#life.closing);
  }

  /**
   * To be called once after the state store was restored from a backup, before any other work with it, and when no process
   * of the former store runs any more, as far as you can tell. Raises the epoch of the store, so that workers of the store
   * that was lost change nothing more on any server. Tasks that were unfinished in the backup need attention from then on:
   * none is resumed or undone by itself, since it may have been finished after the backup. Unix ids in use on the servers
   * are not given out again. Sites that were made after the backup are unknown: they go on being served, nothing of them is
   * touched, and their names are refused to others (HW_NAME_TAKEN). What was deleted after it is what verify shows as
   * missing. Refused while a worker is at a task of this store, which then was not restored just now: HW_TASK_STATE, nothing
   * was changed. @throws HW_TASK_STATE, HW_STORE_BUSY
   */
  async raiseEpoch(): Promise<RaisedEpoch> {
    this.#container.get(PART.engine).box.requireKey("raiseEpoch()");
    return raiseEpoch(this.#container.get(PART.engine), this.#container.get(PART.events));
  }

  /** Open servers, for their counts of connections and round trips. */
  async connections(): Promise<readonly Pick<Server, "name" | "stats">[]> {
    return this.#container.get(PART.pool).opened();
  }

  /** Never rejects: what cannot be closed is a warning of the process, and the rest is closed all the same. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { store, pool } = this.#container.get(PART.engine);
    await this.#life.close();
    const inOrder = [
      async () => this.#container.get(PART.worker).settled(),
      async () => this.#container.get(PART.queue)[Symbol.asyncDispose]?.(),
      async () => this.#container.get(PART.events).close(),
      () => this.#container.get(PART.telemetry)[Symbol.dispose](),
      async () => pool.close(),
      async () => store.close(),
    ];
    for (const one of inOrder) await ended([one]);
  }
}
