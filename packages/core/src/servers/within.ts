import { setTimeout as delay } from "node:timers/promises";

/** What the promise gives, or undefined once its time is over. It goes on then; whoever asked has no longer to wait. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  // What it says later is heard by nobody.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, delay(ms, undefined, { signal: over.signal }).catch(() => undefined)]);
  } finally {
    over.abort();
  }
}
