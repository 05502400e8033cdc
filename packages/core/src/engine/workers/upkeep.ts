import { setTimeout as delay } from "node:timers/promises";
import type { Worker } from "./worker.ts";

/** Milliseconds between two looks for tasks whose worker died. */
const RECOVER_MS = 2_000;
/** Milliseconds between two looks for what is over and may go; while there is more, between two steps. */
const MAINTAIN_MS = 60_000;
const MAINTAIN_MORE_MS = 1_000;

/**
 * What a worker does for the whole installation, whatever queue brings it its tasks: it goes on with those of the dead,
 * removes what is over, and tells of what nobody here can finish.
 */
export class Upkeep {
  readonly #worker: Worker;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Until it is disposed; a recovery under way then is handed over when its present action is over. */
  work(): AsyncDisposable {
    const stop = new AbortController();
    const { signal } = stop;
    const worker = this.#worker;
    const loops = [
      again(async () => worker.lookForDead(signal).then(() => RECOVER_MS), RECOVER_MS, signal),
      again(async () => ((await worker.maintain(signal)).done ? MAINTAIN_MS : MAINTAIN_MORE_MS), MAINTAIN_MS, signal),
      worker.stranding.tell(signal).catch(() => undefined),
    ];
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await Promise.all(loops);
        await worker.settled();
      },
    };
  }
}

/** `look` gives the milliseconds until the next one; after one that failed it is the other number. */
async function again(look: () => Promise<number>, otherwiseMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const ms = await look().catch(() => otherwiseMs);
    await delay(ms, undefined, { signal }).catch(() => undefined);
  }
}
