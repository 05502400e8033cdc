import type { Lease, LeaseStore } from "../../src/contracts/store.ts";
import { NOBODY } from "../../src/store/holder.ts";
import { decideLeases, type AskForLeases, type LeaseDecision } from "../../src/store/lease-rules.ts";
import { keyOf, nextNumber, type Tables } from "./tables.ts";

/** Is that process gone? */
export type IsGone = (holder: string) => boolean;

export const TOKENS = "lease-token";
const PLACES = "lease-place";

export function memoryLeases(tables: Tables, isGone: IsGone): LeaseStore {
  const list = (): readonly Lease[] =>
    [...tables.leases.values()].toSorted((a, b) => (keyOf(a.scope, a.task) < keyOf(b.scope, b.task) ? -1 : 1));

  function decide(request: AskForLeases, token: number): LeaseDecision {
    const stateOf = (task: string) => tables.tasks.get(task)?.state ?? null;
    const standing = list().map((lease) => ({ lease, state: stateOf(lease.task), dead: isGone(lease.holder) }));
    const places = [...tables.places.values()].map((place) => ({
      place,
      state: stateOf(place.task),
      dead: isGone(place.holder),
    }));
    return decideLeases(standing, places, request, token);
  }

  return {
    acquire: async (task, holder, scopes) => {
      const token = (tables.counters.get(TOKENS) ?? 0) + 1;
      const decision = decide({ task, holder, scopes }, token);
      if ("blockedBy" in decision) {
        if (decision.place !== null) {
          const present = tables.places.get(task);
          const place = present?.place ?? nextNumber(tables, PLACES, 1);
          tables.places.set(task, { ...decision.place, place, heartbeat: (present?.heartbeat ?? -1) + 1 });
        }
        return { blockedBy: decision.blockedBy };
      }
      nextNumber(tables, TOKENS, token);
      for (const left of decision.left) tables.places.delete(left);
      for (const dropped of decision.dropped) drop(tables, dropped.task, dropped.holder);
      for (const lease of decision.own) tables.leases.set(keyOf(lease.scope, lease.task), lease);
      return { granted: decision.granted };
    },
    waiting: async (task) => {
      const place = tables.places.get(task);
      if (place === undefined) return null;
      const decision = decide(place, 0);
      return "blockedBy" in decision ? decision.blockedBy : [];
    },
    heartbeat: async (task, holder) => {
      const place = tables.places.get(task);
      if (place?.holder === holder) tables.places.set(task, { ...place, heartbeat: place.heartbeat + 1 });
      const own = [...tables.leases].filter(([, lease]) => lease.task === task && lease.holder === holder);
      for (const [key, lease] of own) tables.leases.set(key, { ...lease, heartbeat: lease.heartbeat + 1 });
      return own.length > 0;
    },
    handOver: async (task, holder) => {
      const place = tables.places.get(task);
      if (place?.holder === holder) tables.places.set(task, { ...place, holder: NOBODY });
      for (const [key, lease] of tables.leases)
        if (lease.task === task && lease.holder === holder) tables.leases.set(key, { ...lease, holder: NOBODY });
    },
    release: async (task, scopes, holder) => {
      const place = tables.places.get(task);
      if (scopes === undefined && (holder ?? place?.holder) === place?.holder) tables.places.delete(task);
      drop(tables, task, holder, scopes);
    },
    list: async () => list(),
    lastToken: async () => tables.counters.get(TOKENS) ?? 0,
  };
}

function drop(tables: Tables, task: string, holder?: string, scopes?: readonly string[]): void {
  for (const [key, lease] of tables.leases) {
    const named = scopes === undefined || scopes.includes(lease.scope);
    if (lease.task === task && named && (holder ?? lease.holder) === lease.holder) tables.leases.delete(key);
  }
}
