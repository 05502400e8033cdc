import type { EventStore, StoredEvent, TaskState } from "../contracts/store.ts";
import type { Residue } from "../model/residue.ts";

/** Every event by its `noun:verb` name. The union is open: plugins and later versions add to it. */
export interface EventMap {
  "task:submitted": { readonly type: string; readonly title: string; readonly actor: string };
  /**
   * It waits for leases; said again when what is in its way changes. `position` is 1 when only tasks that hold leases are
   * in the way, and one more for each task that waits in front of it.
   */
  "task:waiting": {
    readonly position: number;
    readonly blockedBy: readonly { readonly task: string; readonly scope: string }[];
  };
  "task:started": { readonly actions: number };
  /** Another worker goes on with it, after the first one died. */
  "task:recovered": { readonly state: TaskState };
  /** A worker that started cannot finish it and leaves it for one that has what is missing; in words, once per worker. */
  "task:stranded": { readonly missing: readonly string[] };
  /** A line of a running operation; free of secrets and control characters. */
  "task:log": { readonly action: number; readonly server: string; readonly line: string };
  "task:committed": Record<never, never>;
  "task:finished": { readonly state: TaskState; readonly error: unknown; readonly residue: readonly Residue[] };
  "action:started": { readonly action: number; readonly of: number; readonly server: string; readonly title: string };
  "action:finished": { readonly action: number; readonly server: string; readonly title: string; readonly ms: number };
  "action:failed": {
    readonly action: number;
    readonly server: string;
    readonly title: string;
    readonly code: string;
    readonly message: string;
  };
  "action:undone": {
    readonly action: number;
    readonly server: string;
    readonly title: string;
    readonly residue: readonly Residue[];
  };
  /** Given up after its last try; see `Notifier`. Nobody is notified of this. */
  "notification:failed": {
    readonly notifier: string;
    readonly notification: string;
    readonly tries: number;
    readonly reason: string;
  };
  "publication:published": {
    readonly server: string;
    readonly service: string;
    readonly generation: number;
    readonly reloaded: boolean;
  };
  /** Entries of others that the web server refused: they are not in the generation in force, and wait for their owners. */
  "publication:held-back": {
    readonly server: string;
    readonly service: string;
    /** In force now; 0 when there is none yet. */
    readonly generation: number;
    readonly entries: readonly {
      /** File name: `s7k2m9xq4t.conf`. */
      readonly name: string;
      /** `site/<id>`; null when no record has it. */
      readonly owner: string | null;
      /** What the web server said, in one line. */
      readonly reason: string;
    }[];
  };
}

export type EventType = keyof EventMap;

export type HostwrightEvent = {
  [Type in EventType]: {
    readonly seq: number;
    readonly at: string;
    readonly task: string | null;
    readonly type: Type;
    readonly payload: EventMap[Type];
  };
}[EventType];

export type Listener = (event: HostwrightEvent) => void;

/** The one stream: what is appended to the store is what listeners in this process get, in the same order. */
export class Events {
  readonly #store: EventStore;
  readonly #listeners = new Set<Listener>();
  #last: Promise<unknown> = Promise.resolve();
  readonly #told: Omit<StoredEvent, "seq">[] = [];
  #soon: NodeJS.Immediate | undefined;

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** Stored when it returns, after all that was told before. */
  async emit<Type extends EventType>(task: string | null, type: Type, payload: EventMap[Type]): Promise<void> {
    this.#told.push({ at: new Date().toISOString(), task, type, payload });
    await this.#append();
  }

  /**
   * Stored in its order, soon and together with what comes by then: a flood of a program's lines is not a flood of commits.
   * Nobody waits for it, so one that cannot be stored makes nothing fail: it is lost, with a warning of the process.
   */
  tell<Type extends EventType>(task: string | null, type: Type, payload: EventMap[Type]): void {
    this.#told.push({ at: new Date().toISOString(), task, type, payload });
    this.#soon ??= setImmediate(() => void this.flush());
  }

  /** Ends when nothing that was told waits any longer. */
  async flush(): Promise<void> {
    await this.#append().catch(warn);
  }

  /** Calls the listener for each event of this process from now on; gives a function that ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Replays from a cursor, then follows; at least once. Reads in pages: a slow reader costs nothing but its cursor. */
  async *after(
    seq: number,
    options: { readonly task?: string; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<HostwrightEvent> {
    let cursor = seq;
    while (options.signal?.aborted !== true) {
      const page = await this.#store.after(cursor, options.task === undefined ? {} : { task: options.task });
      for (const event of page) {
        cursor = event.seq;
        yield event as HostwrightEvent;
      }
      if (page.length === 0) await this.#next(options.signal);
    }
  }

  /** Waits for an event of this process, or a quarter of a second for those of others. */
  async #next(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, 250);
    const wake = (): void => resolve();
    const stop = this.listen(wake);
    signal?.addEventListener("abort", wake);
    await promise;
    clearTimeout(timer);
    signal?.removeEventListener("abort", wake);
    stop();
  }

  async #append(): Promise<void> {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    const told = this.#told.splice(0);
    const stored = this.#last.then(async () => (told.length === 0 ? [] : this.#store.append(told)));
    this.#last = stored.catch(() => undefined);
    for (const event of await stored) this.#announce(event);
  }

  #announce(event: StoredEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event as HostwrightEvent);
      } catch (error) {
        // Who only watches must not make a task fail.
        warn(error);
      }
    }
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
