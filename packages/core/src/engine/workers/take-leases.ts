import type { Blocker, Lease, LeaseRequest, LeaseStore } from "../../contracts/store.ts";
import type { Events } from "../events.ts";
import { throwIfClosing } from "../actions/handed-over.ts";

/** What a worker that runs many tasks gives each of them: to be left while the task only waits. */
export interface Slot {
  leave(): void;
  /** Waits until there is one again. Who has one changes nothing. */
  enter(): Promise<void>;
  /** Aborted when the worker closes: the task is handed over at its next journal boundary. */
  readonly closing: AbortSignal;
}

export const NO_SLOT: Slot = {
  leave: () => undefined,
  enter: async () => undefined,
  closing: new AbortController().signal,
};

export interface TakeLeasesParts {
  readonly leases: LeaseStore;
  readonly events: Events;
  readonly slot: Slot;
  /** Goes on with a task that is in the way, if its worker died. */
  recover(task: string): Promise<unknown>;
}

export interface LeasesWanted {
  readonly task: string;
  readonly holder: string;
  readonly scopes: readonly LeaseRequest[];
  readonly signal: AbortSignal;
}

/** Milliseconds between two askings of whoever is next, of those behind it, and between two looks for dead workers. */
const NEXT_MS = 50;
const BEHIND_MS = 250;
const LOOK_MS = 1000;

/** What a `task:waiting` event tells. */
export interface WaitingTold {
  readonly position: number;
  readonly blockedBy: readonly Pick<Blocker, "task" | "scope">[];
}

export function waitingOf(blockers: readonly Blocker[]): WaitingTold {
  const inFront = new Set(blockers.filter(({ waiting }) => waiting).map(({ task }) => task));
  return { position: inFront.size + 1, blockedBy: blockers.map(({ task, scope }) => ({ task, scope })) };
}

/** Waits for leases in its turn, without its slot, and tells for whom as often as that changes. */
export async function takeLeases(parts: TakeLeasesParts, wanted: LeasesWanted): Promise<readonly Lease[]> {
  const { task, holder, scopes, signal } = wanted;
  let told = "";
  let looked = -LOOK_MS;
  for (;;) {
    signal.throwIfAborted();
    throwIfClosing(parts.slot.closing);
    const answer = await parts.leases.acquire(task, holder, scopes);
    if ("granted" in answer) {
      await parts.slot.enter();
      return answer.granted;
    }
    parts.slot.leave();
    const { blockedBy } = answer;
    const waiting = waitingOf(blockedBy);
    if (JSON.stringify(waiting) !== told) await parts.events.emit(task, "task:waiting", waiting);
    told = JSON.stringify(waiting);
    const look = performance.now() - looked >= LOOK_MS;
    if (look) looked = performance.now();
    const rivals = new Set(blockedBy.filter((one) => one.dead || (look && !one.waiting)).map((one) => one.task));
    for (const rival of rivals) await parts.recover(rival);
    await turn(parts.events, signal, waiting.position === 1 ? NEXT_MS : BEHIND_MS);
  }
}

/** A task of this process that ends may be the one that was in the way; others are found by asking. */
async function turn(events: Events, signal: AbortSignal, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  const timer = setTimeout(wake, ms);
  const stop = events.listen(({ type }) => {
    if (type === "task:finished") resolve();
  });
  signal.addEventListener("abort", wake, { once: true });
  if (!signal.aborted) await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", wake);
  stop();
}
