import { setImmediate as nextTurn } from "node:timers/promises";

/** The longest that some work keeps the event loop from turning, in ms of this thread's processor time. */
export async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  const over = new AbortController();
  let longest = 0;
  const watching = (async () => {
    while (!over.signal.aborted) {
      const before = process.threadCpuUsage();
      await nextTurn();
      const { user, system } = process.threadCpuUsage(before);
      longest = Math.max(longest, (user + system) / 1000);
    }
  })();
  try {
    await work();
  } finally {
    over.abort();
    await watching;
  }
  return longest;
}
