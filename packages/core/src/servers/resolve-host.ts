import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { Semaphore } from "./semaphore.ts";

/**
 * A look-up blocks one of the four threads that Node has for files and hashes as well, for as long as the resolver likes:
 * servers whose names do not resolve must not take them all.
 */
const LOOKUPS = new Semaphore(2);

/** Looks names up, a few at once; one whose signal came before its turn is not looked up any more. */
export function boundedLookup(signal: AbortSignal): LookupFunction {
  return (hostname, options, callback) => {
    const look = async (): Promise<void> => {
      const release = await LOOKUPS.acquire(signal);
      if (release === null) return;
      lookup(hostname, options, (...answer) => {
        release();
        // oxlint-disable-next-line promise/no-callback-in-promise -- it is Node's
        if (!signal.aborted) callback(...answer);
      });
    };
    void look();
  };
}
