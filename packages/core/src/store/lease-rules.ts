import type { Lease, LeaseRequest, TaskState } from "../contracts/store.ts";

/** A lease as it stands, with what decides whether it may be taken over. */
export interface StandingLease {
  readonly lease: Lease;
  /** State of its task; null when the store knows no such task. */
  readonly state: TaskState | null;
  /** Its holder is dead. */
  readonly dead: boolean;
}

export type LeaseDecision =
  | { readonly blockedBy: readonly Lease[] }
  | {
      /** All that the holder has been granted for the request, in order of scope. */
      readonly granted: readonly Lease[];
      /** Written in place of the task's own leases. */
      readonly own: readonly Lease[];
      /** Leases of dead holders that go. */
      readonly dropped: readonly Lease[];
    };

const UNFINISHED: readonly (TaskState | null)[] = ["running", "cancelling", "undoing", "needs-attention"];

/** Decides a request for leases, all or none; pure, so that every store decides alike. See `LeaseStore`. */
export function decideLeases(
  standing: readonly StandingLease[],
  request: { readonly task: string; readonly holder: string; readonly scopes: readonly LeaseRequest[] },
  token: number,
): LeaseDecision {
  const { task, holder } = request;
  const wanted = strongest(request.scopes);
  const own = standing.filter(({ lease }) => lease.task === task);
  const others = standing.filter(({ lease }) => lease.task !== task);

  const inTheWay = others.filter(({ lease }) => conflicts(lease.mode, wanted.get(lease.scope)));
  const blockers = [
    ...own.filter(({ lease, dead }) => lease.holder !== holder && !dead),
    ...inTheWay.filter(({ state, dead }) => !dead || UNFINISHED.includes(state)),
  ];
  if (blockers.length > 0) return { blockedBy: blockers.map(({ lease }) => lease) };

  const leases = new Map(own.map(({ lease }) => [lease.scope, adopt(lease, holder, token)]));
  for (const [scope, mode] of wanted) {
    const present = leases.get(scope);
    if (present === undefined || (mode === "exclusive" && present.mode === "shared")) {
      leases.set(scope, { scope, mode, task, token, holder, heartbeat: 0 });
    }
  }
  const all = [...leases.values()].toSorted((a, b) => (a.scope < b.scope ? -1 : 1));
  return {
    granted: all.filter((lease) => wanted.has(lease.scope)),
    own: all,
    dropped: inTheWay.map(({ lease }) => lease),
  };
}

function adopt(lease: Lease, holder: string, token: number): Lease {
  return lease.holder === holder ? lease : { ...lease, holder, token, heartbeat: 0 };
}

function conflicts(present: Lease["mode"], wanted: Lease["mode"] | undefined): boolean {
  return wanted !== undefined && (present === "exclusive" || wanted === "exclusive");
}

function strongest(scopes: readonly LeaseRequest[]): Map<string, Lease["mode"]> {
  const wanted = new Map<string, Lease["mode"]>();
  for (const { scope, mode } of scopes) {
    if (wanted.get(scope) !== "exclusive") wanted.set(scope, mode);
  }
  return wanted;
}
