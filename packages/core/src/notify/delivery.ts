import type { Notifier } from "../contracts/notifier.ts";
import type { EndedTask, StateStore } from "../contracts/store.ts";
import { HostwrightError, isHostwrightError, isLeaseLost } from "../errors/hostwright-error.ts";
import type { Events } from "../engine/events.ts";
import { newHolder } from "../store/holder.ts";
import { notificationOf } from "./notification.ts";
import { SYSTEM_CLOCK, type Clock } from "../model/time.ts";

/** What is to be tried again, and when: milliseconds since 1970. */
interface Again {
  readonly ended: number;
  readonly tries: number;
  readonly at: number;
}

/** How far a notifier came. Written after each try: what a crash cuts off is sent again, and never lost. */
interface Mark {
  readonly cursor: number;
  readonly again: readonly Again[];
}

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];
/** Two days and a half and a day more, as Standard Webhooks advises. */
const RETRY_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR),
];
const TIMEOUT_MS = 15 * SECOND;
const LONGEST_TIMEOUT_MS = 30 * SECOND;
/** While it sends: several times in the shortest life that a lease may be given. */
const BEAT_MS = SECOND / 4;
/** With so many that failed nothing new is begun: the store remembers the rest as it is. */
const MOST_AGAIN = 100;
const LONGEST_REASON = 300;

/** Names whose notifications this process delivers, over all its instances: a lease excludes other processes only. */
const active = new Set<string>();

/** One notifier's way through the ended tasks: one process at a time, at least once, in no promised order. */
export class Delivery {
  readonly #store: StateStore;
  readonly #events: Events;
  readonly #notifier: Notifier;
  readonly #scope: string;
  readonly #holder: string = newHolder();
  readonly #clock: Clock;

  constructor(store: StateStore, events: Events, notifier: Notifier, clock: Clock = SYSTEM_CLOCK) {
    this.#store = store;
    this.#events = events;
    this.#notifier = notifier;
    this.#scope = `notify/${notifier.name}`;
    this.#clock = clock;
  }

  /** From now on it is told what ends. Once in the life of a store: one that was known before goes on where it was. */
  async begin(): Promise<void> {
    if ((await this.#mark()) === null) await this.#alone(async () => this.#begun());
  }

  /** Delivers all that is due now, unless another worker does. */
  async pass(stop: AbortSignal): Promise<void> {
    const known = await this.#mark();
    if (known === null || (await this.#isDue(known))) await this.#alone(async () => this.#deliver(stop));
  }

  async #alone(work: () => Promise<unknown>): Promise<void> {
    const { installation } = await this.#store.identity();
    const name = `${installation} ${this.#scope}`;
    if (active.has(name)) return;
    active.add(name);
    try {
      const scopes = [{ scope: this.#scope, mode: "exclusive" }] as const;
      const answer = await this.#store.leases.acquire(this.#scope, this.#holder, scopes);
      if (!("granted" in answer)) return;
      try {
        await work();
      } catch (error) {
        // Another one has it by now, and goes on where that one is.
        if (!isLeaseLost(error)) throw error;
      } finally {
        await this.#store.leases.release(this.#scope, undefined, this.#holder);
      }
    } finally {
      active.delete(name);
    }
  }

  async #begun(): Promise<Mark> {
    return (await this.#mark()) ?? this.#keep({ cursor: await this.#store.tasks.lastEnded(), again: [] });
  }

  async #deliver(stop: AbortSignal): Promise<void> {
    let mark = await this.#begun();
    for (const entry of mark.again.filter(({ at }) => at <= this.#clock.now())) {
      const [task] = await this.#store.tasks.ended(entry.ended - 1, 1);
      const others = mark.again.filter((other) => other !== entry);
      // It ended once more since then: that is told, not this.
      const left = task?.ended === entry.ended ? await this.#try(task, entry.tries, stop) : [];
      if (left === null) return;
      mark = await this.#keep({ ...mark, again: [...others, ...left] });
    }
    while (mark.again.length < MOST_AGAIN) {
      const [task] = await this.#store.tasks.ended(mark.cursor, 1);
      if (task === undefined) return;
      const left = await this.#try(task, 0, stop);
      if (left === null) return;
      mark = await this.#keep({ cursor: task.ended, again: [...mark.again, ...left] });
    }
  }

  /** Gives what is to be tried again; null when it is not this one's to deliver now. */
  async #try(task: EndedTask, before: number, stop: AbortSignal): Promise<readonly Again[] | null> {
    const { epoch } = await this.#store.identity();
    const notification = notificationOf(task, epoch);
    const { name, events, retryMs = RETRY_MS } = this.#notifier;
    if (events?.includes(notification.type) === false) return [];
    // A worker that was stopped for long, and has woken up, finds that another one has it.
    if (stop.aborted || !(await this.#store.leases.heartbeat(this.#scope, this.#holder))) return null;
    try {
      await this.#send(notification, stop);
      return [];
    } catch (error) {
      if (stop.aborted) return null;
      const pause = retryMs[before];
      const tries = before + 1;
      if (pause !== undefined && !(isHostwrightError(error) && !error.retryable)) {
        return [{ ended: task.ended, tries, at: this.#clock.now() + pause * (1 + Math.random() / 5) }];
      }
      const reason = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_REASON);
      const told = { notifier: name, notification: notification.id, tries, reason };
      await this.#events.emit(task.id, "notification:failed", told);
      return [];
    }
  }

  /** A notifier that does not heed its signal is not waited for. */
  async #send(notification: ReturnType<typeof notificationOf>, stop: AbortSignal): Promise<void> {
    const { name, timeoutMs = TIMEOUT_MS } = this.#notifier;
    const limit = Math.min(timeoutMs, LONGEST_TIMEOUT_MS);
    const over = new AbortController();
    const late = Promise.withResolvers<never>();
    const end = (): void => {
      over.abort();
      const what = `Notifier "${name}" did not deliver within ${limit} ms.`;
      late.reject(new HostwrightError("HW_NOTIFICATION_FAILED", what, { retryable: true }));
    };
    const timer = setTimeout(end, limit);
    const beating = setInterval(() => {
      void this.#store.leases.heartbeat(this.#scope, this.#holder).catch(() => undefined);
    }, BEAT_MS);
    stop.addEventListener("abort", end);
    try {
      await Promise.race([this.#notifier.send(notification, over.signal), late.promise]);
    } finally {
      clearTimeout(timer);
      clearInterval(beating);
      stop.removeEventListener("abort", end);
    }
  }

  async #isDue({ cursor, again }: Mark): Promise<boolean> {
    if (again.some(({ at }) => at <= this.#clock.now())) return true;
    return again.length < MOST_AGAIN && (await this.#store.tasks.ended(cursor, 1)).length > 0;
  }

  async #mark(): Promise<Mark | null> {
    return (await this.#store.bookmarks.get(this.#scope)) as Mark | null;
  }

  async #keep(mark: Mark): Promise<Mark> {
    await this.#store.bookmarks.put(this.#scope, mark, this.#holder);
    return mark;
  }
}
