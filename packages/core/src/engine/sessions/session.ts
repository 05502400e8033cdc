import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import type { Target } from "../../contracts/resource.ts";
import type { CommandResult, Script, Server } from "../../model/server.ts";
import { loginName } from "../../model/login-name.ts";
import { isApi, type ServerRecord } from "../../model/records.ts";
import type { NeededSecret, Resolve } from "../../model/text.ts";
import { Secret } from "../../model/secret.ts";
import { within } from "../../servers/within.ts";
import { ranOn, runFenced, type Fence } from "./fence.ts";
import type { HeldServer, ServerPool } from "./server-pool.ts";

/** The longest that a single changing script runs for, a release's stream apart, which ends with its connection. */
const SETTLE_MS = 300_000;

/** For a task's connections to end: a stuck peer keeps no task from its end. */
const GOODBYE_MS = 10_000;

export type LoadSecrets = (needed: readonly NeededSecret[]) => Promise<ReadonlyMap<string, string>>;

/** What one planning or one task works with: targets, their connections and its secrets, all closed with it. */
export class Session implements AsyncDisposable {
  readonly #pool: ServerPool;
  readonly #load: LoadSecrets;
  readonly #fence: Fence | null;
  readonly #signal: AbortSignal;
  readonly #targets = new Map<string, Promise<Target>>();
  readonly #secrets = new Map<string, string>();
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #held: HeldServer[] = [];

  constructor(options: { pool: ServerPool; load: LoadSecrets; fence: Fence | null; signal: AbortSignal }) {
    this.#pool = options.pool;
    this.#load = options.load;
    this.#fence = options.fence;
    this.#signal = options.signal;
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  /** The same work with connections of its own and past any cancel: undo needs it after both. */
  apart(): Session {
    return new Session({
      pool: this.#pool,
      load: this.#load,
      fence: this.#fence,
      signal: new AbortController().signal,
    });
  }

  /** Takes secrets that this work knows out of what a program said. */
  readonly redact = (text: string): string => {
    let clean = text;
    for (const [id, value] of this.#secrets) {
      if (value !== "") clean = clean.replaceAll(value, `[${id.slice(id.lastIndexOf("/") + 1)}]`);
    }
    return clean;
  };

  readonly resolve: Resolve = (reference) => {
    const value = this.#secrets.get(reference.id);
    if (value === undefined) {
      throw new HostwrightError(
        "HW_SECRET_UNREADABLE",
        `The secret ${reference.id} (${reference.label}) is not known.`,
      );
    }
    return value;
  };

  /** Brings secrets into memory, in one read. */
  async loadSecrets(references: readonly NeededSecret[]): Promise<void> {
    const missing = new Map<string, NeededSecret>();
    for (const reference of references)
      if (!this.#secrets.has(reference.id) && missing.get(reference.id)?.generate === undefined)
        missing.set(reference.id, reference);
    if (missing.size === 0) return;
    for (const [id, value] of await this.#load([...missing.values()])) this.#secrets.set(id, value);
  }

  async target(record: ServerRecord): Promise<Target> {
    let target = this.#targets.get(record.id);
    if (target === undefined) {
      target = this.#makeTarget(record);
      this.#targets.set(record.id, target);
      target.catch(() => this.#targets.delete(record.id));
    }
    return target;
  }

  /** Waits until nothing of this work's own scope changes the server any longer: a script outlives a lost connection. */
  async settle(record: ServerRecord): Promise<void> {
    if (this.#fence === null || isApi(record)) return;
    const target = await this.target(record);
    // Where another installation has the server, nothing of this one is at work.
    await target.mutate({ script: ":", timeoutMs: SETTLE_MS }).catch((error: unknown) => {
      if (!isHostwrightError(error) || error.code !== "HW_SERVER_CLAIMED") throw error;
    });
  }

  /** Has the server not been restarted since this work first changed it? False where nobody knows. */
  async ranOn(record: ServerRecord): Promise<boolean> {
    return (
      this.#fence === null || isApi(record) || ranOn((await this.target(record)).server, this.#fence, this.#signal)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closers = this.#closers.splice(0);
    await within(GOODBYE_MS, Promise.allSettled(closers.map(async (close) => close())));
    for (const held of this.#held.splice(0)) held[Symbol.dispose]();
    this.#secrets.clear();
  }

  async #makeTarget(record: ServerRecord): Promise<Target> {
    const held = await this.#pool.hold(record, this.#signal);
    this.#held.push(held);
    const { server } = held;
    const credentials = isApi(record) ? await this.#credentials(record) : null;
    const connections = new Map<string, Promise<unknown>>();
    return {
      server,
      credentials,
      signal: this.#signal,
      scope: this.#fence?.scope ?? "",
      resolve: this.resolve,
      serviceOptions: (type) => record.services.find((service) => service.type === type)?.options,
      connection: async <T>(
        key: string,
        open: () => Promise<T>,
        close: (connection: T) => Promise<void>,
      ): Promise<T> => {
        const known = connections.get(key) as Promise<T> | undefined;
        if (known !== undefined) return known;
        const opening = open();
        connections.set(key, opening);
        opening.then(
          (connection) => this.#closers.push(async () => close(connection)),
          () => connections.delete(key),
        );
        return opening;
      },
      mutate: async (script) => this.#mutate(server, script),
    };
  }

  /** As they are now: another process may have put others since the API was opened. */
  async #credentials({ id, connect }: ServerRecord): Promise<Secret> {
    const secret = { ref: "secret", id: loginName(id, connect) ?? "", label: "credentials" } as const;
    await this.loadSecrets([secret]);
    return new Secret(this.resolve(secret));
  }

  async #mutate(server: Server, script: Script): Promise<CommandResult> {
    if (this.#fence === null) {
      throw new HostwrightError(
        "HW_INTERNAL",
        `Something tried to change ${server.name} while planning. Nothing was changed.`,
      );
    }
    return runFenced(server, this.#fence, { signal: this.#signal, ...script });
  }
}
