import { setTimeout as delay } from "node:timers/promises";
import type { StoredTask, TaskStore } from "../contracts/store.ts";
import type { Worker } from "../engine/worker.ts";

const POLL_MS = 200;
/** Milliseconds between two looks for tasks whose worker died. */
const RECOVER_MS = 2_000;

const RECOVERY = "recovery";

/**
 * The queue inside the store: queued tasks in the order of their submission. It only hints: the worker's claim in the
 * store decides (decisions.md D15).
 */
export class EmbeddedQueue {
  readonly #tasks: TaskStore;

  constructor(tasks: TaskStore) {
    this.#tasks = tasks;
  }

  /** Works tasks, at most `concurrency` at once, until it is disposed; what runs then is finished first. */
  work(worker: Worker, concurrency: number): AsyncDisposable {
    const stop = new AbortController();
    const running = new Map<string, Promise<unknown>>();
    const loop = this.#loop(worker, concurrency, running, stop.signal);
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await loop;
        await Promise.allSettled(running.values());
      },
    };
  }

  /** A store that cannot be read now is asked again later: the queue goes on. */
  async #queued(limit: number): Promise<readonly StoredTask[]> {
    return this.#tasks.list({ states: ["queued"], limit }).catch(() => []);
  }

  async #loop(
    worker: Worker,
    concurrency: number,
    running: Map<string, Promise<unknown>>,
    signal: AbortSignal,
  ): Promise<void> {
    let looked = -RECOVER_MS;
    while (!signal.aborted) {
      if (performance.now() - looked >= RECOVER_MS && !running.has(RECOVERY)) {
        looked = performance.now();
        const recovery = worker.recoverAll(signal).finally(() => running.delete(RECOVERY));
        running.set(
          RECOVERY,
          recovery.catch(() => undefined),
        );
      }
      const free = concurrency - running.size + (running.has(RECOVERY) ? 1 : 0);
      const queued = free > 0 ? await this.#queued(concurrency) : [];
      const fresh = queued.filter((task) => !running.has(task.id)).slice(0, free);
      for (const task of fresh) {
        const work = worker.work(task.id, new AbortController().signal).finally(() => running.delete(task.id));
        running.set(
          task.id,
          work.catch(() => undefined),
        );
      }
      if (fresh.length === 0) await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
