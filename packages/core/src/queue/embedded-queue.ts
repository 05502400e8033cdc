import { setTimeout as delay } from "node:timers/promises";
import type { ListedTask, TaskStore } from "../contracts/store.ts";
import type { Slot } from "../engine/workers/take-leases.ts";
import type { Worker } from "../engine/workers/worker.ts";
import { Semaphore } from "../servers/semaphore.ts";

const POLL_MS = 200;
/** Milliseconds between two looks for tasks whose worker died. */
const RECOVER_MS = 2_000;
/** Milliseconds between two looks for what is over and may go; while there is more, between two steps. */
const MAINTAIN_MS = 60_000;
const MAINTAIN_MORE_MS = 1_000;
/** Tasks that only wait for leases, for each that may run: more of them would keep nobody busier. */
const WAITING_PER_SLOT = 4;

/**
 * The queue inside the store: queued tasks in the order of their submission. It only hints: the worker's claim in the
 * store decides (decisions.md D15).
 */
export class EmbeddedQueue {
  readonly #tasks: TaskStore;

  constructor(tasks: TaskStore) {
    this.#tasks = tasks;
  }

  /**
   * Works tasks, at most `concurrency` at once, until it is disposed; what runs then is handed over when its present
   * action is over, to whatever worker looks next (decisions.md D39). A task that waits
   * for leases leaves its slot to another one, at most four for each slot.
   */
  work(worker: Worker, concurrency: number): AsyncDisposable {
    const stop = new AbortController();
    const running = new Map<string, Promise<unknown>>();
    const loops = [
      this.#claim(worker, concurrency, running, stop.signal),
      recoverAgain(worker, stop.signal),
      maintainAgain(worker, stop.signal),
      worker.stranding.tell(stop.signal).catch(() => undefined),
    ];
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await Promise.all(loops);
        await Promise.allSettled(running.values());
      },
    };
  }

  async #claim(
    worker: Worker,
    concurrency: number,
    running: Map<string, Promise<unknown>>,
    signal: AbortSignal,
  ): Promise<void> {
    const slots = new Semaphore(concurrency);
    for (;;) {
      const giveBack = await slots.acquire(signal);
      if (giveBack === null) return;
      const next = running.size < concurrency * (1 + WAITING_PER_SLOT) ? await this.#next(worker, running) : undefined;
      if (next === undefined || signal.aborted) {
        giveBack();
        await pause(POLL_MS, signal);
      } else {
        const slot = new QueueSlot(slots, giveBack, signal);
        const work = workIn(slot, worker, next.id, signal).finally(() => running.delete(next.id));
        running.set(next.id, work);
      }
    }
  }

  /** A store that cannot be read now is asked again later: the queue goes on. */
  async #next({ stranding }: Worker, running: ReadonlyMap<string, unknown>): Promise<ListedTask | undefined> {
    const limit = running.size + stranding.size + 1;
    const queued = await this.#tasks.list({ states: ["queued"], limit }).catch(() => []);
    return queued.find((task) => !running.has(task.id) && !stranding.has(task.id));
  }
}

class QueueSlot implements Slot {
  readonly closing: AbortSignal;
  readonly #slots: Semaphore;
  #giveBack: (() => void) | null;

  constructor(slots: Semaphore, giveBack: () => void, closing: AbortSignal) {
    this.closing = closing;
    this.#slots = slots;
    this.#giveBack = giveBack;
  }

  leave(): void {
    this.#giveBack?.();
    this.#giveBack = null;
  }

  async enter(): Promise<void> {
    this.#giveBack ??= await this.#slots.acquire();
  }
}

async function workIn(slot: Slot, worker: Worker, taskId: string, signal: AbortSignal): Promise<void> {
  const outcome = await worker.work(taskId, new AbortController().signal, slot).catch(() => null);
  slot.leave();
  // Another one has it, but may not have told the store yet: it is not asked for again at once.
  if (outcome === null) await pause(POLL_MS, signal);
}

async function recoverAgain(worker: Worker, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await worker.recoverAll(signal).catch(() => undefined);
    await pause(RECOVER_MS, signal);
  }
}

async function maintainAgain(worker: Worker, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const step = await worker.maintain(signal).catch(() => null);
    await pause(step?.done === false ? MAINTAIN_MORE_MS : MAINTAIN_MS, signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
