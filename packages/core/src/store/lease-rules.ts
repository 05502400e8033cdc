import type { Blocker, Lease, LeaseRequest, TaskState } from "../contracts/store.ts";

/** A lease as it stands, with what decides whether it may be taken over. */
export interface StandingLease {
  readonly lease: Lease;
  /** State of its task; null when the store knows no such task. */
  readonly state: TaskState | null;
  /** Its holder is dead. */
  readonly dead: boolean;
}

/** A task in line, in the order of submission. */
export interface Waiting {
  readonly task: string;
  readonly state: TaskState;
  /** Rises with each submission. */
  readonly place: number;
  readonly scopes: readonly LeaseRequest[];
}

export interface AskForLeases {
  readonly task: string;
  readonly holder: string;
  readonly scopes: readonly LeaseRequest[];
  /** Of a task that the store does not know: behind all others. */
  readonly place: number;
  /** Of the task; null when the store knows no such task. One that is claimed at this moment is `running`. */
  readonly state: TaskState | null;
  /** See `Lease`. */
  readonly lifeMs: number;
}

export type LeaseDecision =
  | {
      readonly blockedBy: readonly Blocker[];
      /** It is not this one's to put in line: another living holder has the task, or nobody may have it now. */
      readonly isAnothers: boolean;
    }
  | {
      /** All that the holder has been granted for the request, in order of scope. */
      readonly granted: readonly Lease[];
      /** Written in place of the task's own leases. */
      readonly own: readonly Lease[];
      /** Leases of dead holders that go. */
      readonly dropped: readonly Lease[];
    };

type Scopes = Map<string, Lease["mode"]>;

const MAY_BE_HELD: readonly (TaskState | null)[] = [null, "running", "cancelling", "undoing", "needs-attention"];
const UNFINISHED: readonly (TaskState | null)[] = ["running", "cancelling", "undoing", "needs-attention"];

/** Decides a request for leases, all or none; pure, so that every store decides alike. See `LeaseStore`. */
export function decideLeases(
  standing: readonly StandingLease[],
  line: readonly Waiting[],
  request: AskForLeases,
  token: number,
): LeaseDecision {
  const { task, holder, lifeMs } = request;
  const wanted = strongest(request.scopes);
  const own = standing.filter(({ lease }) => lease.task === task);
  const taken = own.filter(({ lease, dead }) => lease.holder !== holder && !dead);
  if (taken.length > 0) return { blockedBy: taken.map((one) => inTheWay(one)), isAnothers: true };
  // Whoever looked for the dead saw it unclosed, or running, a moment ago; since then its holder put it back or ended it.
  if (own.length === 0 && !MAY_BE_HELD.includes(request.state)) return { blockedBy: [], isAnothers: true };

  const rivals = standing.filter(({ lease }) => lease.task !== task && conflicts(lease.mode, wanted.get(lease.scope)));
  const holding = rivals.filter(blocks);
  const blockedBy = [...holding.map((one) => inTheWay(one)), ...inFront(standing, line, own, wanted, request)];
  if (blockedBy.length > 0) return { blockedBy, isAnothers: false };

  const leases = new Map(own.map(({ lease }) => [lease.scope, adopt(lease, request, token)]));
  for (const [scope, mode] of wanted) {
    const before = leases.get(scope);
    if (before === undefined || (mode === "exclusive" && before.mode === "shared")) {
      leases.set(scope, { scope, mode, task, token, holder, heartbeat: 0, lifeMs });
    }
  }
  const all = [...leases.values()].toSorted((a, b) => (a.scope < b.scope ? -1 : 1));
  return {
    granted: all.filter((lease) => wanted.has(lease.scope)),
    own: all,
    dropped: rivals.map(({ lease }) => lease),
  };
}

/** The first queued task in line that nothing is in the way of; in one pass over the line. */
export function firstFree(standing: readonly StandingLease[], line: Iterable<Waiting>): string | null {
  const held = strongest(standing.filter(blocks).map(({ lease }) => lease));
  const stuck = strongest(standing.filter(isStuck).map(({ lease }) => lease));
  const front: Scopes = new Map();
  for (const { task, state, scopes } of line) {
    if (state === "queued" && !clash(held, scopes) && !clash(front, scopes)) return task;
    if (!clash(stuck, scopes)) for (const { scope, mode } of scopes) strengthen(front, scope, mode);
  }
  return null;
}

/** Those that were submitted before, and wait for what conflicts with this. */
function inFront(
  standing: readonly StandingLease[],
  line: readonly Waiting[],
  own: readonly StandingLease[],
  wanted: Scopes,
  { task, place: ownPlace }: AskForLeases,
): readonly Blocker[] {
  const stuck = standing.filter(isStuck);
  const others = line.filter((one) => one.task !== task && !waitsFor(one, stuck));
  if (others.some((one) => waitsFor(one, own))) return [];
  return others
    .filter(({ place }) => place < ownPlace)
    .flatMap(({ task: other, scopes }) =>
      scopes
        .filter(({ scope, mode }) => conflicts(mode, wanted.get(scope)))
        .map(({ scope }) => ({ task: other, scope, waiting: true, dead: false })),
    );
}

function waitsFor({ task, scopes }: Waiting, leases: readonly StandingLease[]): boolean {
  return leases.some(
    ({ lease }) =>
      lease.task !== task && scopes.some((one) => one.scope === lease.scope && conflicts(lease.mode, one.mode)),
  );
}

/**
 * Does a task that needs attention free it? Sites and platforms that it has alone stay leased until somebody resolved it;
 * servers are free for others (decisions.md D9).
 */
export function isFreed({ scope, mode, task }: Pick<Lease, "scope" | "mode" | "task">): boolean {
  return mode === "shared" || scope.startsWith("server/") || scope === `task/${task}`;
}

/** Nobody works its task, and nobody knows when somebody resolves it. */
function isStuck({ state }: StandingLease): boolean {
  return state === "needs-attention";
}

/** What a dead holder had of an unfinished task is still in the way. */
function blocks({ state, dead }: StandingLease): boolean {
  return !dead || UNFINISHED.includes(state);
}

function inTheWay({ lease, dead }: StandingLease): Blocker {
  return { task: lease.task, scope: lease.scope, waiting: false, dead };
}

function adopt(lease: Lease, { holder, lifeMs }: AskForLeases, token: number): Lease {
  return lease.holder === holder ? lease : { ...lease, holder, token, heartbeat: 0, lifeMs };
}

function conflicts(present: Lease["mode"], wanted: Lease["mode"] | undefined): boolean {
  return wanted !== undefined && (present === "exclusive" || wanted === "exclusive");
}

function clash(present: Scopes, scopes: readonly LeaseRequest[]): boolean {
  return scopes.some(({ scope, mode }) => conflicts(mode, present.get(scope)));
}

/** What a task that is put back into the line wants: what it had, its own lease apart, and more; each scope once. */
export function wantsAgain(
  task: string,
  had: readonly LeaseRequest[],
  more: readonly LeaseRequest[],
): readonly LeaseRequest[] {
  const wanted = strongest([...had.filter(({ scope }) => scope !== `task/${task}`), ...more]);
  return [...wanted].map(([scope, mode]) => ({ scope, mode }));
}

function strongest(scopes: Iterable<LeaseRequest>): Scopes {
  const wanted: Scopes = new Map();
  for (const { scope, mode } of scopes) strengthen(wanted, scope, mode);
  return wanted;
}

function strengthen(scopes: Scopes, scope: string, mode: Lease["mode"]): void {
  if (scopes.get(scope) !== "exclusive") scopes.set(scope, mode);
}
