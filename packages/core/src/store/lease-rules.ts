import type { Blocker, Lease, LeasePlace, LeaseRequest, TaskState } from "../contracts/store.ts";

/** A lease as it stands, with what decides whether it may be taken over. */
export interface StandingLease {
  readonly lease: Lease;
  /** State of its task; null when the store knows no such task. */
  readonly state: TaskState | null;
  /** Its holder is dead. */
  readonly dead: boolean;
}

/** The place of a task that waits, with what decides whether it holds others up. */
export interface StandingPlace {
  readonly place: LeasePlace;
  readonly state: TaskState | null;
  readonly dead: boolean;
}

export interface AskForLeases {
  readonly task: string;
  readonly holder: string;
  readonly scopes: readonly LeaseRequest[];
}

export type LeaseDecision =
  | {
      readonly blockedBy: readonly Blocker[];
      /** Written as the task's place, a new one or one that it has with another number; null: nothing is written. */
      readonly place: Pick<LeasePlace, "task" | "holder" | "scopes"> | null;
    }
  | {
      /** All that the holder has been granted for the request, in order of scope. */
      readonly granted: readonly Lease[];
      /** Written in place of the task's own leases. */
      readonly own: readonly Lease[];
      /** Leases of dead holders that go. */
      readonly dropped: readonly Lease[];
      /** Tasks whose places go: its own, and those that nobody will ask for again. */
      readonly left: readonly string[];
    };

const UNFINISHED: readonly (TaskState | null)[] = ["running", "cancelling", "undoing", "needs-attention"];
const FINISHED: readonly (TaskState | null)[] = ["succeeded", "undone", "needs-attention"];

/** Decides a request for leases, all or none; pure, so that every store decides alike. See `LeaseStore`. */
export function decideLeases(
  standing: readonly StandingLease[],
  places: readonly StandingPlace[],
  request: AskForLeases,
  token: number,
): LeaseDecision {
  const { task, holder } = request;
  const wanted = strongest(request.scopes);
  const own = standing.filter(({ lease }) => lease.task === task);
  // Of a task that needs attention nobody works: who asks for it has resolved it.
  const taken = own.filter(({ lease, state, dead }) => lease.holder !== holder && !dead && state !== "needs-attention");
  if (taken.length > 0) return { blockedBy: taken.map((one) => inTheWay(one)), place: null };

  const rivals = standing.filter(({ lease }) => lease.task !== task && conflicts(lease.mode, wanted.get(lease.scope)));
  const holding = rivals.filter(({ state, dead }) => !dead || UNFINISHED.includes(state));
  const present = places.find(({ place }) => place.task === task)?.place;
  const blockedBy = [...holding.map((one) => inTheWay(one)), ...inFront(standing, places, own, wanted, present)];
  if (blockedBy.length > 0) return { blockedBy, place: newPlace(request, wanted, present) };

  const leases = new Map(own.map(({ lease }) => [lease.scope, adopt(lease, holder, token)]));
  for (const [scope, mode] of wanted) {
    const before = leases.get(scope);
    if (before === undefined || (mode === "exclusive" && before.mode === "shared")) {
      leases.set(scope, { scope, mode, task, token, holder, heartbeat: 0 });
    }
  }
  const all = [...leases.values()].toSorted((a, b) => (a.scope < b.scope ? -1 : 1));
  return {
    granted: all.filter((lease) => wanted.has(lease.scope)),
    own: all,
    dropped: rivals.map(({ lease }) => lease),
    left: places.filter((one) => one.place.task === task || isOver(one)).map(({ place }) => place.task),
  };
}

/** Those that wait since before, for what conflicts with this. */
function inFront(
  standing: readonly StandingLease[],
  places: readonly StandingPlace[],
  own: readonly StandingLease[],
  wanted: ReadonlyMap<string, Lease["mode"]>,
  present: LeasePlace | undefined,
): readonly Blocker[] {
  const stuck = standing.filter(({ state }) => state === "needs-attention");
  const others = places
    .filter((one) => one.place !== present && !one.dead && !FINISHED.includes(one.state) && !waitsFor(one, stuck))
    .toSorted((a, b) => a.place.place - b.place.place);
  if (others.some((one) => waitsFor(one, own))) return [];
  return others
    .filter(({ place }) => present === undefined || place.place < present.place)
    .flatMap(({ place }) =>
      place.scopes
        .filter(({ scope, mode }) => conflicts(mode, wanted.get(scope)))
        .map(({ scope }) => ({ task: place.task, scope, waiting: true, dead: false })),
    );
}

function waitsFor({ place }: StandingPlace, leases: readonly StandingLease[]): boolean {
  return leases.some(
    ({ lease }) =>
      lease.task !== place.task &&
      place.scopes.some((one) => one.scope === lease.scope && conflicts(lease.mode, one.mode)),
  );
}

function isOver({ state, dead }: StandingPlace): boolean {
  return FINISHED.includes(state) || (state === null && dead);
}

function newPlace(
  { task, holder }: AskForLeases,
  wanted: ReadonlyMap<string, Lease["mode"]>,
  present: LeasePlace | undefined,
): Pick<LeasePlace, "task" | "holder" | "scopes"> | null {
  const scopes = [...wanted].map(([scope, mode]) => ({ scope, mode })).toSorted((a, b) => (a.scope < b.scope ? -1 : 1));
  const same =
    present?.holder === holder &&
    present.scopes.length === scopes.length &&
    present.scopes.every(({ scope, mode }) => wanted.get(scope) === mode);
  return same ? null : { task, holder, scopes };
}

function inTheWay({ lease, dead }: StandingLease): Blocker {
  return { task: lease.task, scope: lease.scope, waiting: false, dead };
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
