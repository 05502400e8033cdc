import type { EventStore, StoredEvent } from "../contracts/store.ts";
import type { EventMap, EventType, HostwrightEvent, Listener } from "./stream/event-map.ts";
import { guarded, warn } from "./stream/guarded.ts";
import { Wakeups } from "./stream/wakeups.ts";
import { SYSTEM_CLOCK, timeText, type Clock } from "../model/time.ts";

export type { EventMap, EventType, HostwrightEvent, Listener } from "./stream/event-map.ts";

type Told = Omit<StoredEvent, "seq">;

export interface Following {
  readonly task?: string;
  readonly signal?: AbortSignal;
  /**
   * Asked when nothing is left: in how many milliseconds it is over, 0 being now, unless something comes; null when it
   * goes on. Default: it goes on.
   */
  over?(): Promise<number | null>;
}

/** Kept while they cannot be stored; of more the eldest are lost. */
const MOST_KEPT = 10_000;
/** Milliseconds for which whoever tells something waits until it is stored, and for which closing waits. */
const RETRY_AFTER_MS = 1_000;
/** Milliseconds until what could not be stored is tried again. */
const AGAIN_MS = 500;
/** Whom every event wakes. */
const ALL = "";

/**
 * The one stream: what is appended to the store is what listeners in this process get, in the same order. Telling never
 * fails and never holds up what it tells of: what cannot be stored is kept, within bounds, and tried again. Who needs to
 * be certain reads the state of the task in the store.
 */
export class Events {
  readonly #store: EventStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<Listener>();
  readonly #wakeups: Wakeups;
  /** Up to here everything is known in this process. */
  #seen = 0;
  #last: Promise<void> = Promise.resolve();
  #told: Told[] = [];
  #soon: NodeJS.Immediate | undefined;
  #again: NodeJS.Timeout | undefined;
  /** Nobody waits for what is told then. */
  #isFailing = false;
  #isWarned = false;
  #isClosed = false;
  #lost = 0;

  constructor(store: EventStore, clock: Clock = SYSTEM_CLOCK) {
    this.#store = store;
    this.#clock = clock;
    this.#wakeups = new Wakeups({
      begin: async () => {
        this.#seen = await store.last();
      },
      look: async () => this.#look(),
    });
  }

  /**
   * True when it is stored, after all that was told before; false when that cannot be waited for: then it is stored later,
   * unless this process dies before. Never rejects.
   */
  async emit<Type extends EventType>(task: string | null, type: Type, payload: EventMap[Type]): Promise<boolean> {
    this.#keep({ at: timeText(this.#clock), task, type, payload });
    if (!this.#isFailing) await this.#patiently();
    return !this.#isFailing && !this.#isClosed;
  }

  /** Stored in its order, soon and together with what comes by then: a flood of a program's lines is not a flood of commits. */
  tell<Type extends EventType>(task: string | null, type: Type, payload: EventMap[Type]): void {
    this.#keep({ at: timeText(this.#clock), task, type, payload });
    if (!this.#isFailing) this.#soon ??= setImmediate(() => void this.#append());
  }

  /** True when nothing that was told waits any longer; false when it cannot be stored now. */
  async flush(): Promise<boolean> {
    await this.#patiently();
    return !this.#isFailing;
  }

  /** The last try; what cannot be stored then is lost, with a warning of the process. */
  async close(): Promise<void> {
    await this.flush();
    this.#isClosed = true;
    clearTimeout(this.#again);
    this.#lose(this.#told.length, "The instance was closed before they could be stored");
  }

  /** Calls the listener for each event of this process from now on; gives a function that ends it. */
  listen(listener: Listener): () => void {
    const own = guarded(listener);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** A cursor after all that is stored by now. */
  async now(): Promise<number> {
    return this.#store.last();
  }

  /** Replays from a cursor, then follows; at least once. Reads in pages: a slow reader costs nothing but its cursor. */
  async *after(seq: number, { task, signal, over }: Following = {}): AsyncGenerator<HostwrightEvent> {
    using sleeper = this.#wakeups.sleeper(task ?? ALL);
    let cursor = seq;
    for (const gone of task === undefined ? await this.#removedSince(cursor) : []) {
      yield gone;
      cursor = gone.seq;
    }
    for (;;) {
      if (signal?.aborted === true) return;
      sleeper.reset();
      const page = await this.#store.after(cursor, task === undefined ? {} : { task });
      // While it followed, too: the file may have been lost.
      const isGap = task === undefined && (page[0]?.seq ?? 0) > cursor + 1;
      if (isGap) yield* await this.#removedSince(cursor);
      for (const event of page) {
        cursor = event.seq;
        yield event as HostwrightEvent;
      }
      if (page.length > 0) continue;
      // Another store has its place: what that one tells is all new.
      if (cursor > (await this.#store.last())) {
        cursor = 0;
        continue;
      }
      const left = (await over?.()) ?? undefined;
      if (left === 0) return;
      await sleeper.sleep(signal, left);
    }
  }

  /** Whoever has a cursor is told what was removed before he came to it; who begins is not. */
  async #removedSince(cursor: number): Promise<readonly HostwrightEvent[]> {
    const upTo = cursor === 0 ? 0 : await this.#store.removedUpTo();
    if (cursor >= upTo) return [];
    const at = timeText(this.#clock);
    return [{ seq: upTo, at, task: null, type: "events:removed", payload: { after: cursor, upTo } }];
  }

  #keep(event: Told): void {
    this.#told.push(event);
    if (this.#isClosed) this.#lose(this.#told.length, "The instance is closed");
    else if (this.#told.length > MOST_KEPT) this.#lose(1, "Too many wait to be stored");
  }

  #lose(count: number, why: string): void {
    this.#told.splice(0, count);
    this.#count(count, why);
  }

  #count(lost: number, why: string): void {
    if (lost > 0 && this.#lost === 0)
      warn(`Events of Hostwright are lost. ${why}. Tasks go on, and their outcomes are stored.`);
    this.#lost += lost;
  }

  /** Not for as long as a store may wait for its lock. */
  async #patiently(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#isFailing = true;
      late.resolve();
    }, RETRY_AFTER_MS);
    await Promise.race([this.#append(), late.promise]);
    clearTimeout(timer);
  }

  async #append(): Promise<void> {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    this.#last = this.#last.then(async () => this.#storeTold());
    return this.#last;
  }

  async #storeTold(): Promise<void> {
    const told = this.#told.splice(0);
    if (told.length === 0) {
      // What could not be stored is lost, and keeps nothing else from it.
      this.#isFailing = false;
      return;
    }
    let stored: readonly StoredEvent[];
    try {
      stored = await this.#store.append(told);
    } catch (error) {
      this.#putOff(told, error);
      return;
    }
    this.#isFailing = false;
    this.#isWarned = false;
    this.#announce(stored);
    const count = this.#lost;
    this.#lost = 0;
    if (count > 0) this.tell(null, "events:lost", { count });
    // What came while nobody waited for the store.
    else if (this.#told.length > 0) this.#soon ??= setImmediate(() => void this.#append());
  }

  #putOff(told: readonly Told[], error: unknown): void {
    const fit = told.filter(isJson);
    this.#told = [...fit, ...this.#told];
    this.#count(told.length - fit.length, "Their payload is no JSON");
    this.#lose(Math.max(0, this.#told.length - MOST_KEPT), "Too many wait to be stored");
    if (!this.#isWarned) {
      const cause = error instanceof Error ? error.message : String(error);
      warn(`Events of Hostwright cannot be stored now: ${cause} They are kept and tried again; tasks go on.`);
    }
    this.#isWarned = true;
    this.#isFailing = true;
    clearTimeout(this.#again);
    if (!this.#isClosed) this.#again = setTimeout(() => void this.#append(), AGAIN_MS).unref();
  }

  #announce(stored: readonly StoredEvent[]): void {
    for (const event of stored) {
      if (event.seq === this.#seen + 1) this.#seen = event.seq;
      for (const listener of this.#listeners) listener(event as HostwrightEvent);
    }
    this.#wakeups.wake(namesOf(stored));
  }

  /** What other processes have told. */
  async #look(): Promise<readonly string[]> {
    const found = new Set<string>();
    for (;;) {
      const page = await this.#store.after(this.#seen);
      this.#seen = page.at(-1)?.seq ?? this.#seen;
      for (const name of namesOf(page)) found.add(name);
      if (page.length === 0) return [...found];
    }
  }
}

function namesOf(events: readonly StoredEvent[]): Set<string> {
  return events.length === 0 ? new Set() : new Set([ALL, ...events.map(({ task }) => task ?? ALL)]);
}

/** What can never be stored keeps nothing else from it. */
function isJson(event: Told): boolean {
  try {
    JSON.stringify(event.payload);
    return true;
  } catch {
    return false;
  }
}
