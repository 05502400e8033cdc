import { setTimeout as delay } from "node:timers/promises";
import type { QueueWorker, TaskQueue } from "../contracts/queue.ts";
import { Semaphore } from "../servers/semaphore.ts";

const POLL_MS = 200;

/** The queue inside the store: queued tasks in the order of their submission. It only asks (decisions.md D15). */
export class EmbeddedQueue implements TaskQueue {
  #announced = new AbortController();

  async announce(): Promise<void> {
    this.#announced.abort();
    this.#announced = new AbortController();
  }

  /**
   * What runs when it is disposed is handed over when its present action is over, to whatever worker looks next (decisions.md
   * D39). A task that waits for others stays in the queue.
   */
  work(worker: QueueWorker, concurrency: number): AsyncDisposable {
    const stop = new AbortController();
    const running = new Set<Promise<unknown>>();
    const taking = this.#take(worker, concurrency, running, stop.signal);
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await taking;
        await Promise.allSettled(running);
      },
    };
  }

  async #take(
    worker: QueueWorker,
    concurrency: number,
    running: Set<Promise<unknown>>,
    signal: AbortSignal,
  ): Promise<void> {
    const slots = new Semaphore(concurrency);
    for (;;) {
      const giveBack = await slots.acquire(signal);
      if (giveBack === null) return;
      const announced = this.#announced.signal;
      // A store that cannot be read now is asked again later: the queue goes on.
      const id = await worker.takeNext().catch(() => null);
      if (id === null) {
        giveBack();
        await delay(POLL_MS, undefined, { signal: AbortSignal.any([signal, announced]) }).catch(() => undefined);
        continue;
      }
      const work = worker
        .carryOut(id, signal)
        .catch(() => null)
        .finally(() => {
          running.delete(work);
          giveBack();
        });
      running.add(work);
    }
  }
}
