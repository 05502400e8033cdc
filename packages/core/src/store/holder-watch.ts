import type { Lease } from "../contracts/store.ts";
import type { StoreKernel } from "../contracts/store/kernel.ts";
import { isHolderGone } from "./holder.ts";

interface Sighting {
  readonly heartbeat: number;
  /** Milliseconds for which it was seen to stand still. */
  readonly still: number;
}

/**
 * Judges holders (decisions.md D14): dead when the process is gone, or when its heartbeat stood still for the time that
 * the lease names, by this observer's own monotonic clock, counted from when the observer first saw it. No two clocks are
 * compared, and nobody is judged by another's promise. Time in which the observer did not look counts for half a life at most:
 * a store that could not be reached kept the holder from beating as well.
 */
export class HolderWatch {
  readonly #now: () => number;
  readonly #reach: StoreKernel["reach"];
  #seen = new Map<string, Sighting>();
  #looked = 0;

  constructor(reach: StoreKernel["reach"], now: () => number = () => performance.now()) {
    this.#now = now;
    this.#reach = reach;
  }

  /** Takes note of all leases that there are now, and tells which are dead. */
  dead(leases: readonly Lease[]): ReadonlySet<Lease> {
    const now = this.#now();
    const seen = new Map<string, Sighting>();
    const dead = new Set<Lease>();
    const gone = new Map<string, boolean>();
    for (const lease of leases) {
      const name = JSON.stringify([lease.scope, lease.task, lease.token]);
      const before = this.#seen.get(name);
      const passed = Math.min(now - this.#looked, lease.lifeMs / 2);
      const still = before?.heartbeat === lease.heartbeat ? before.still + passed : 0;
      seen.set(name, { heartbeat: lease.heartbeat, still });
      const isGone = gone.get(lease.holder) ?? isHolderGone(lease.holder, this.#reach);
      gone.set(lease.holder, isGone);
      if (isGone || still >= lease.lifeMs) dead.add(lease);
    }
    this.#seen = seen;
    this.#looked = now;
    return dead;
  }
}
