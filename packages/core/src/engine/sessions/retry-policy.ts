import { setTimeout as delay } from "node:timers/promises";
import { isHostwrightError } from "../../errors/hostwright-error.ts";

/** From the first failure on: a server that restarts is back by then. */
const RETRY_MS = 60_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;

/** Tries again what failed for a passing reason, for a while that all its tries share. */
export class RetryPolicy {
  readonly #ms: number;
  #until: number | null = null;

  /** @param ms Milliseconds from the first failure on. */
  constructor(ms: number = RETRY_MS) {
    this.#ms = ms;
  }

  /** It has come on since: what fails next has all the time anew. */
  cameOn(): void {
    this.#until = null;
  }

  /** @throws what the last try failed with: it will not pass, or its time is over. */
  async try<T>(work: () => Promise<T>): Promise<T> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await work();
      } catch (error) {
        this.#until ??= performance.now() + this.#ms;
        if (!isHostwrightError(error) || !error.retryable || performance.now() >= this.#until) throw error;
        await delay(pause);
      }
    }
  }
}
