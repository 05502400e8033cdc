import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const FINALIZERS_MS = 100;

/** Bytes of the heap that are in use after a full collection. */
export async function heapInUse(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 3; round += 1) {
    collect();
    // What is told of a collection cleans up in its own turn.
    await delay(FINALIZERS_MS);
  }
  return process.memoryUsage().heapUsed;
}
