import type { Lease, LeaseRequest, LeaseStore, TaskState } from "../../src/contracts/store.ts";
import { NOBODY } from "../../src/store/holder.ts";
import {
  decideLeases,
  firstFree,
  wantsAgain,
  type LeaseDecision,
  type StandingLease,
  type Waiting,
} from "../../src/store/lease-rules.ts";
import { keyOf, nextNumber, type TaskRow, type Tables } from "./tables.ts";

/** Is that process gone? */
export type IsGone = (holder: string) => boolean;

export const TOKENS = "lease-token";
const LIFE_MS = 60_000;
const NONE: ReadonlySet<string> = new Set();
const UNDER_WAY: readonly string[] = ["running", "cancelling", "undoing"];

export function memoryLeases(tables: Tables, isGone: IsGone): LeaseStore {
  const list = (): readonly Lease[] =>
    [...tables.leases.values()].toSorted((a, b) => (keyOf(a.scope, a.task) < keyOf(b.scope, b.task) ? -1 : 1));

  const standing = (): readonly StandingLease[] =>
    list().map((lease) => ({
      lease,
      state: tables.tasks.get(lease.task)?.state ?? null,
      dead: isGone(lease.holder),
    }));

  /** The first in line of each subject, and all of one. */
  function line(except: ReadonlySet<string>, whole?: string): readonly Waiting[] {
    const seen = new Set<string>();
    return [...tables.tasks.values()].flatMap((row) => {
      if (row.waits === null || except.has(row.id)) return [];
      if (seen.has(row.subject) && row.subject !== whole) return [];
      seen.add(row.subject);
      return [{ task: row.id, state: row.state, place: row.place, scopes: row.waits }];
    });
  }

  function decide(
    task: string,
    holder: string,
    scopes: readonly LeaseRequest[],
    except: ReadonlySet<string>,
    as?: TaskState,
  ): LeaseDecision {
    const row = tables.tasks.get(task);
    const state = as ?? row?.state ?? null;
    const token = (tables.counters.get(TOKENS) ?? 0) + 1;
    const ahead = line(except, row?.subject);
    return decideLeases(
      standing(),
      ahead,
      { task, holder, scopes, place: row?.place ?? Infinity, state, lifeMs: LIFE_MS },
      token,
    );
  }

  function grant(task: string, decision: Extract<LeaseDecision, { readonly granted: unknown }>): void {
    nextNumber(tables, TOKENS, (tables.counters.get(TOKENS) ?? 0) + 1);
    for (const [key, lease] of tables.leases)
      if (decision.dropped.some((dead) => dead.task === lease.task && dead.holder === lease.holder))
        if (lease.scope !== `task/${lease.task}`) tables.leases.delete(key);
    for (const lease of decision.own) tables.leases.set(keyOf(lease.scope, lease.task), lease);
    change(tables, task, { waits: null });
  }

  return {
    lifeMs: LIFE_MS,
    next: async (except) => firstFree(standing(), line(except)),
    claim: async (task, holder, except = NONE) => {
      const row = tables.tasks.get(task);
      if (row?.state !== "queued") return null;
      const scopes = [...(row.waits ?? []), { scope: `task/${task}`, mode: "exclusive" as const }];
      const decision = decide(task, holder, scopes, except, "running");
      if ("blockedBy" in decision) return { blockedBy: decision.blockedBy };
      grant(task, decision);
      change(tables, task, { state: "running" });
      return { granted: decision.granted };
    },
    putBack: async (task, holder, more) => {
      const had = list().filter((lease) => lease.task === task);
      if (!had.some((lease) => lease.holder === holder) || tables.tasks.get(task)?.state !== "running") return false;
      change(tables, task, { state: "queued", waits: wantsAgain(task, had, more) });
      drop(tables, task);
      return true;
    },
    acquire: async (task, holder, scopes, except = NONE) => {
      const decision = decide(task, holder, scopes, except);
      if ("granted" in decision) {
        grant(task, decision);
        return { granted: decision.granted };
      }
      const isUnderWay = UNDER_WAY.includes(tables.tasks.get(task)?.state ?? "");
      if (isUnderWay && !decision.isAnothers) change(tables, task, { waits: scopes });
      return { blockedBy: decision.blockedBy };
    },
    waiting: async (task) => {
      const scopes = tables.tasks.get(task)?.waits ?? null;
      if (scopes === null) return null;
      const holder = list().find((lease) => lease.task === task)?.holder ?? "";
      const decision = decide(task, holder, scopes, NONE, "running");
      return "blockedBy" in decision ? decision.blockedBy : [];
    },
    heartbeat: async (task, holder) => {
      const own = [...tables.leases].filter(([, lease]) => lease.task === task && lease.holder === holder);
      for (const [key, lease] of own) tables.leases.set(key, { ...lease, heartbeat: lease.heartbeat + 1 });
      return own.length > 0;
    },
    handOver: async (task, holder) => {
      for (const [key, lease] of tables.leases)
        if (lease.task === task && lease.holder === holder) tables.leases.set(key, { ...lease, holder: NOBODY });
    },
    release: async (task, scopes, holder) => drop(tables, task, holder, scopes),
    list: async () => list(),
    lastToken: async () => tables.counters.get(TOKENS) ?? 0,
  };
}

/** The lease of a task that ended without a worker. */
export function grantOwn(tables: Tables, task: string, holder: string): void {
  const token = nextNumber(tables, TOKENS, (tables.counters.get(TOKENS) ?? 0) + 1);
  const scope = `task/${task}`;
  const lease: Lease = { scope, task, mode: "exclusive", token, holder, heartbeat: 0, lifeMs: LIFE_MS };
  tables.leases.set(keyOf(scope, task), lease);
}

function change(tables: Tables, task: string, changed: Partial<TaskRow>): void {
  const row = tables.tasks.get(task);
  if (row !== undefined) tables.tasks.set(task, { ...row, ...changed });
}

function drop(tables: Tables, task: string, holder?: string, scopes?: readonly string[]): void {
  for (const [key, lease] of tables.leases) {
    const named = scopes === undefined || scopes.includes(lease.scope);
    if (lease.task === task && named && (holder ?? lease.holder) === lease.holder) tables.leases.delete(key);
  }
}
