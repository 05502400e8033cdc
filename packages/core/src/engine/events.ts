import type { EventStore, StoredEvent, TaskState } from "../contracts/store.ts";
import type { Residue } from "./ensure.ts";

/** Every event by its `noun:verb` name. The union is open: plugins and later versions add to it. */
export interface EventMap {
  "task:submitted": { readonly type: string; readonly title: string; readonly actor: string };
  "task:waiting": { readonly blockedBy: readonly { readonly task: string; readonly scope: string }[] };
  "task:started": { readonly actions: number };
  /** Another worker goes on with it, after the first one died. */
  "task:recovered": { readonly state: TaskState };
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
  "publication:published": {
    readonly server: string;
    readonly service: string;
    readonly generation: number;
    readonly reloaded: boolean;
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

  constructor(store: EventStore) {
    this.#store = store;
  }

  async emit<Type extends EventType>(task: string | null, type: Type, payload: EventMap[Type]): Promise<void> {
    const at = new Date().toISOString();
    const stored = this.#last.then(async () => this.#store.append([{ at, task, type, payload }]));
    this.#last = stored.catch(() => undefined);
    for (const event of await stored) this.#tell(event);
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

  #tell(event: StoredEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event as HostwrightEvent);
      } catch (error) {
        // Who only watches must not make a task fail.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}
