import { setTimeout as delay } from "node:timers/promises";
import type { Worker } from "../engine/workers/worker.ts";
import { Semaphore } from "../servers/semaphore.ts";

const POLL_MS = 200;
/** Milliseconds between two looks for tasks whose worker died. */
const RECOVER_MS = 2_000;
/** Milliseconds between two looks for what is over and may go; while there is more, between two steps. */
const MAINTAIN_MS = 60_000;
const MAINTAIN_MORE_MS = 1_000;

/**
 * The queue inside the store: queued tasks in the order of their submission. It only asks: the worker's claim in the
 * store decides (decisions.md D15).
 */
export class EmbeddedQueue {
  /**
   * Works tasks, at most `concurrency` at once, until it is disposed; what runs then is handed over when its present
   * action is over, to whatever worker looks next (decisions.md D39). A task that waits for others stays in the queue.
   */
  work(worker: Worker, concurrency: number): AsyncDisposable {
    const stop = new AbortController();
    const running = new Set<Promise<unknown>>();
    const loops = [
      take(worker, concurrency, running, stop.signal),
      again(async () => worker.lookForDead(stop.signal).then(() => RECOVER_MS), RECOVER_MS, stop.signal),
      again(
        async () => ((await worker.maintain(stop.signal)).done ? MAINTAIN_MS : MAINTAIN_MORE_MS),
        MAINTAIN_MS,
        stop.signal,
      ),
      worker.stranding.tell(stop.signal).catch(() => undefined),
    ];
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await Promise.all(loops);
        await Promise.allSettled([...running, worker.settled()]);
      },
    };
  }
}

async function take(
  worker: Worker,
  concurrency: number,
  running: Set<Promise<unknown>>,
  signal: AbortSignal,
): Promise<void> {
  const slots = new Semaphore(concurrency);
  for (;;) {
    const giveBack = await slots.acquire(signal);
    if (giveBack === null) return;
    // A store that cannot be read now is asked again later: the queue goes on.
    const id = await worker.takeNext().catch(() => null);
    if (id === null) {
      giveBack();
      await pause(POLL_MS, signal);
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

/** `look` gives the milliseconds until the next one; after one that failed it is the other number. */
async function again(look: () => Promise<number>, otherwiseMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(await look().catch(() => otherwiseMs), signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
