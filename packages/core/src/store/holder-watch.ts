import type { Lease } from "../contracts/store.ts";
import type { StoreKernel } from "../contracts/store/kernel.ts";
import { isHolderGone, isSeenGone } from "./holder.ts";

interface Sighting {
  readonly heartbeat: number;
  readonly since: number;
}

/**
 * Judges holders (decisions.md D14): dead when the process is gone, or when its heartbeat stood still for the time that
 * the lease names, by this observer's own monotonic clock, counted from when the observer first saw it. No two clocks are
 * compared, and nobody is judged by another's promise.
 */
export class HolderWatch {
  readonly #now: () => number;
  readonly #isGone: (holder: string) => boolean;
  #seen = new Map<string, Sighting>();

  constructor(reach: StoreKernel["reach"], now: () => number = () => performance.now()) {
    this.#now = now;
    this.#isGone = reach === "machine" ? isHolderGone : isSeenGone;
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
      const since = before?.heartbeat === lease.heartbeat ? before.since : now;
      seen.set(name, { heartbeat: lease.heartbeat, since });
      const isGone = gone.get(lease.holder) ?? this.#isGone(lease.holder);
      gone.set(lease.holder, isGone);
      if (isGone || now - since >= lease.lifeMs) dead.add(lease);
    }
    this.#seen = seen;
    return dead;
  }
}
