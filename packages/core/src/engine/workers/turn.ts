import type { Blocker } from "../../contracts/store.ts";
import type { Events } from "../events.ts";

/** Milliseconds between two askings of whoever is next, and of those behind it. */
const NEXT_MS = 50;
const BEHIND_MS = 250;
/** Far behind it asks as seldom as its place is far, up to this: with many in line each asking costs what there are. */
const LONGEST_MS = 5_000;
/** Places for which each change is told, and which are woken by the end of a task. */
const NEAR = 10;
/** Of what is in the way, in one telling; its place says how many there are. */
const MOST_TOLD = 20;
/** Milliseconds after which a task in the way that nobody takes is worked by who waits for it: workers are faster. */
const OVERDUE_MS = 1_000;

/** What a `task:waiting` event tells. */
export interface WaitingTold {
  readonly position: number;
  readonly blockedBy: readonly Pick<Blocker, "task" | "scope">[];
}

export function waitingOf(blockers: readonly Blocker[]): WaitingTold {
  const inFront = new Set(blockers.filter(({ waiting }) => waiting).map(({ task }) => task));
  const blockedBy = blockers.slice(0, MOST_TOLD).map(({ task, scope }) => ({ task, scope }));
  return { position: inFront.size + 1, blockedBy };
}

/** Of what is in line for a scope only the first: when it has gone on, the next one is the first. */
export function firstInWay(blockers: readonly Blocker[]): readonly Blocker[] {
  const scopes = new Set<string>();
  return blockers.filter(({ scope, waiting }) => {
    if (waiting && scopes.has(scope)) return false;
    if (waiting) scopes.add(scope);
    return true;
  });
}

/** The waiting of one task for its turn: tells for whom as often as that changes, and pauses between two askings. */
export class Turn implements Disposable {
  readonly #events: Events;
  readonly #task: string;
  /** Since when each task has been in the way, by the monotonic clock. */
  #since = new Map<string, number>();
  #told = "";
  #position = 1;
  readonly #over = new AbortController();

  constructor(events: Events, task: string) {
    this.#events = events;
    this.#task = task;
  }

  /** Aborted when nobody waits any more. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  [Symbol.dispose](): void {
    this.#over.abort();
  }

  get #isNear(): boolean {
    return this.#position <= NEAR;
  }

  async tell(blockers: readonly Blocker[]): Promise<void> {
    const waiting = waitingOf(blockers);
    this.#position = waiting.position;
    const now = performance.now();
    this.#since = new Map(blockers.map(({ task }) => [task, this.#since.get(task) ?? now]));
    // Of many in line each would tell of each that ends before it.
    const told = this.#isNear ? JSON.stringify(waiting) : `about ${Math.floor(this.#position / NEAR)}`;
    if (told === this.#told) return;
    this.#told = told;
    await this.#events.emit(this.#task, "task:waiting", waiting);
  }

  /**
   * Tasks in the way that may have nobody who works them: of dead workers at once, others when they are overdue, and again
   * after as much.
   */
  helpless(blockers: readonly Blocker[]): readonly string[] {
    const now = performance.now();
    const late = (task: string): boolean => now - (this.#since.get(task) ?? now) >= OVERDUE_MS;
    const first = firstInWay(blockers);
    const helpless = new Set(first.filter(({ task, dead }) => dead || late(task)).map(({ task }) => task));
    for (const task of helpless) this.#since.set(task, now);
    return [...helpless];
  }

  /** A task of this process that ends may be the one that was in the way; others are found by asking. */
  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const behind = Math.min(BEHIND_MS * Math.ceil(this.#position / NEAR), LONGEST_MS);
    const timer = setTimeout(wake, this.#position === 1 ? NEXT_MS : behind);
    const stop = this.#events.listen(({ type }) => {
      if (type === "task:finished" && this.#isNear) wake();
    });
    signal.addEventListener("abort", wake, { once: true });
    await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", wake);
    stop();
  }
}
