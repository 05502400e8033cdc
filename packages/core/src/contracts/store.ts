/** Durable state (decisions.md D15). SQLite by default; each part is small, so that another store can be written and proved. */
export interface StateStore extends TaskWrites {
  readonly events: EventStore;
  readonly plans: PlanStore;
  readonly bookmarks: BookmarkStore;
  readonly leases: LeaseStore;
  /**
   * The same for the worker of one task: each write fails in its own transaction with HW_LEASE_LOST, and writes nothing,
   * unless that holder has a lease of the task. A worker that was stopped for longer than its lease may wake up in the
   * middle of any of them.
   */
  held(task: string, holder: string): TaskWrites;
  /**
   * Stable identity of this installation, and the epoch of this store, from 1 on (decisions.md D12). Read anew each time:
   * another process may have raised the epoch.
   */
  identity(): Promise<{ readonly installation: string; readonly epoch: number }>;
  /** What the installation's key has signed, so that a wrong key is known at once; null before any key was used. */
  readonly keyCheck: { get(): Promise<string | null>; set(check: string): Promise<void> };
  /** What the store finds damaged in its own files, in words, and what these say of each other; none when it is whole. */
  integrity(): Promise<readonly { readonly file: string; readonly what: string }[]>;
  /**
   * For a store that was restored from a backup. In one transaction: the epoch rises by one; each task that is `running`,
   * `cancelling` or `undoing` and has no commit row becomes `needs-attention` with this outcome and `at` as its
   * `finishedAt`, so that it has ended (see `TaskStore.ended`); the shared leases of these tasks go, with each task's own, and their other exclusive ones are held by `NOBODY` from then on, with
   * their tokens: they block others, and whoever worked such a task has no lease any more. All other tasks and leases stay
   * as they are: a committed task goes forward. Before that the numbers of events leap ahead by at least 1,000,000, so that
   * no event to come lies before a cursor of somebody who read the lost store; numbers that were given back are not drawn again. Called again it does all this again.
   */
  raiseEpoch(at: string, outcome: unknown): Promise<EpochRaised>;
  /**
   * What was erased is gone from every file of the store when this gave true (decisions.md D53): secrets, prior states,
   * plans and all else that was removed. It is soon anyway; this does a bounded part of it now, and is called again on false.
   */
  scrub(): Promise<boolean>;
  close(): Promise<void>;
}

/** What the work on a task writes; read by others too. */
export interface TaskWrites {
  readonly records: RecordStore;
  readonly register: RegisterStore;
  readonly tasks: TaskStore;
  readonly journal: JournalStore;
  readonly secrets: SecretStore;
}

/** Holds leases that no process answers for, until an operator resolved their task. */
export const NOBODY = "nobody";

export interface EpochRaised {
  readonly epoch: number;
  /** Tasks that need attention from now on, in the order of their submission. */
  readonly tasks: readonly string[];
}

export type RecordKind = "client" | "server" | "platform" | "site";

export interface StoredRecord {
  readonly kind: RecordKind;
  readonly id: string;
  /** Unique in its kind: the server's or platform's name, the site's main domain. */
  readonly name: string;
  /** Raised by each write; a put with another `expect` fails. */
  readonly version: number;
  readonly value: unknown;
}

/** A record as it is to be, with what must still hold: see `RecordStore.put`. */
export interface RecordChange extends Omit<StoredRecord, "version">, PutOptions {}

export interface PutOptions {
  /** Present version; 0: there is none. */
  readonly expect: number;
  /** Names that are its own from then on, beside its `name`. */
  readonly claims: readonly string[];
  /** Records that it refers to, which must be there. Default: none. */
  readonly needs?: readonly Pick<StoredRecord, "kind" | "id">[];
}

export interface RecordRemoval {
  readonly kind: RecordKind;
  readonly id: string;
  /** Present version; left out: whatever it is. */
  readonly expect?: number;
}

/** The version at which a record must be; 0: there is none. */
export interface RecordVersion {
  readonly kind: RecordKind;
  readonly id: string;
  readonly version: number;
}

export interface RecordDiscard extends Pick<StoredRecord, "kind" | "id"> {
  readonly number: { readonly counter: string; readonly value: number };
}

/** What sites refer to: their platform, the server of their database, that of their cache. */
export type RecordReference = "platform" | "database" | "cache";

export interface RecordQuery {
  readonly by: RecordReference;
  readonly ids: readonly string[];
  /** Of the record: it is one of these, such as `installed`. */
  readonly status: readonly string[];
}

export interface RecordStore {
  /** By id, or by any name that it claims; an id is looked for first. Costs the same however many there are. */
  get(kind: RecordKind, idOrName: string): Promise<StoredRecord | null>;
  /** Those that refer to one of these ids, in order of their names, by an index: it costs what it gives. */
  referring(kind: RecordKind, query: RecordQuery): Promise<readonly StoredRecord[]>;
  /** The different values of a field among them, in order, without reading the records themselves. */
  different(kind: RecordKind, field: "platform" | "http", query: RecordQuery): Promise<readonly string[]>;
  /** In order of their names, those after a name, at most `limit`; default: all. */
  list(kind: RecordKind, page?: { readonly after?: string; readonly limit?: number }): Promise<readonly StoredRecord[]>;
  /**
   * Creates (`expect` 0) or replaces (`expect` = present version) in one transaction with the names it claims, which
   * replace those claimed before; its own name is always among them.
   * Names (all domains of a site) are unique over the kind. @throws HW_DOMAIN_TAKEN (sites), HW_RECORD_TAKEN (all others),
   * HW_TASK_STATE (version moved), HW_NOT_FOUND (what it needs).
   */
  put(record: Omit<StoredRecord, "version">, options: PutOptions): Promise<StoredRecord>;
  /**
   * Removes a record that nothing needs any more, in one transaction with that look and with all that is kept for it: its
   * names, its secrets (`<kind>/<id>/`) and, of a server, everything that is registered there, which is given back.
   * @throws HW_TASK_STATE, with `expect` in its data, and changes nothing, when its version moved or something needs it: a
   * record that refers to it and is no draft, a lease of it, a task that is yet to make it (its name, of a draft), or, but
   * for a server, what is registered for it.
   */
  forget(kind: RecordKind, id: string, expect: number): Promise<readonly RegisteredResource[]>;
  /** The id of the record that claims a name of that kind; null if none does. */
  claimedBy(kind: RecordKind, name: string): Promise<string | null>;
  /** A number of that counter that nobody has, at least `from`: one given back by `discard`, or a new one (unix ids, decisions.md D23). */
  nextNumber(counter: string, from: number): Promise<number>;
  /**
   * Deletes a record with its names and gives back the number that was drawn for it, in one transaction: the next draws it
   * again. Only for what nothing was made of. False, and nothing is given back, when the record is gone already.
   */
  discard(kind: RecordKind, id: string, number: { readonly counter: string; readonly value: number }): Promise<boolean>;
}

/** A managed resource and its owner (decisions.md D16). */
export interface RegisteredResource {
  readonly server: string;
  readonly type: string;
  readonly key: string;
  /** `site/<id>`, `platform/<id>`, `server/<id>`. */
  readonly owner: string;
  readonly shared: boolean;
  /** Keyed hash of the state last applied; null until it was. */
  readonly hash: string | null;
}

/** One owner's hold on a resource. */
export type ResourceHold = Pick<RegisteredResource, "server" | "type" | "key" | "owner">;

export interface RegisterStore {
  /** Ids of all servers on which something is registered, in order; whether there is a record of them or not. */
  servers(): Promise<readonly string[]>;
  /** Everything registered on a server, in one query. */
  onServer(server: string): Promise<readonly RegisteredResource[]>;
  /**
   * Everybody who has something registered on a server and of whom there is no record, whatever its state, each once; in
   * one reading of both: who is being made at that moment is none of them (decisions.md D56).
   */
  orphans(server: string): Promise<readonly string[]>;
  /** Of these owners or at these addresses, with every other owner's hold on the same; in one query. */
  about(
    server: string,
    owners: readonly string[],
    addresses: readonly Pick<ResourceHold, "type" | "key">[],
  ): Promise<readonly RegisteredResource[]>;
  /** Adds or updates, all in one transaction. @throws HW_RESOURCE_CONFLICT if another owner holds one exclusively. */
  put(resources: readonly RegisteredResource[]): Promise<void>;
  remove(resources: readonly ResourceHold[]): Promise<void>;
}

export type TaskState = "queued" | "running" | "cancelling" | "undoing" | "succeeded" | "undone" | "needs-attention";

export interface StoredTask {
  readonly id: string;
  readonly type: string;
  /** The request as submitted, parsed; references instead of secrets. */
  readonly request: unknown;
  readonly state: TaskState;
  /** The signed plan, once there is one. */
  readonly plan: unknown;
  readonly actor: string;
  readonly key: string | null;
  /** Milliseconds of one worker's work on it, waiting included, after which it is cancelled; null: as long as it takes. */
  readonly timeoutMs: number | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** Value, error and residue of a finished task. */
  readonly outcome: unknown;
}

/** A task without its plan, which may have megabytes. */
export type ListedTask = Omit<StoredTask, "plan">;

/** A task that ended. */
export interface EndedTask extends ListedTask {
  /** Rises, with leaps, in the order in which tasks ended. One that was resolved ends once more, with a later number. */
  readonly ended: number;
}

/** What becomes true with the end of a task. */
export interface TaskEnding {
  readonly state: Extract<TaskState, "succeeded" | "undone" | "needs-attention">;
  readonly outcome: unknown;
  readonly finishedAt: string;
  readonly deleteRecords: readonly RecordRemoval[];
  /** Records of which nothing was made, each with the number that was drawn for it: see `RecordStore.discard`. */
  readonly discards: readonly RecordDiscard[];
  /** Prefixes of the secrets that go, each ending in `/`. */
  readonly eraseSecrets: readonly string[];
}

export interface TaskStore {
  /**
   * Stores it as `queued`. A key is its actor's own: the same type, request and plan under it give the task that is
   * there. Without `wants` nothing is in its way. @throws HW_KEY_REUSED when the actor used the key for another request, HW_TASK_STATE when the id is taken.
   */
  submit(task: Omit<StoredTask, "state" | "finishedAt" | "outcome">, wants?: Wants): Promise<StoredTask>;
  get(id: string): Promise<StoredTask | null>;
  /** Alone, for those who ask again and again: a stored plan may have megabytes. Null when there is no such task. */
  state(id: string): Promise<TaskState | null>;
  /** Place among the queued tasks in the order of submission, 1 being next; null when it is not queued. */
  position(id: string): Promise<number | null>;
  /**
   * In the order of submission, or with `newest` the other way round, those after the task `after`; without `limit` all.
   * Plans are not read.
   */
  list(filter?: {
    readonly states?: readonly TaskState[];
    readonly newest?: boolean;
    readonly after?: string;
    readonly limit?: number;
  }): Promise<readonly ListedTask[]>;
  /** Those that are `running`, `cancelling` or `undoing`, in the order of submission: for a look as often as one likes. */
  unfinished(): Promise<readonly Pick<StoredTask, "id" | "state">[]>;
  /**
   * Compare-and-set of the state; false when it was another. A committed task goes forward only (decisions.md D8):
   * `cancelling`, `undoing` and `undone` are answered with false.
   */
  move(
    id: string,
    from: readonly TaskState[],
    to: TaskState,
    change?: Partial<Pick<StoredTask, "plan" | "outcome">>,
  ): Promise<boolean>;
  /**
   * Ends it, in one transaction with all that goes with it; false, and nothing is changed, when its state was another, or
   * when it is committed and was to be `undone`. Prior states are erased unless it needs attention.
   */
  end(id: string, from: readonly TaskState[], end: TaskEnding): Promise<boolean>;
  /**
   * Tasks that ended after a cursor, in that order, at most `limit` (default 100). Whatever becomes
   * of who ended it, it is found here.
   */
  ended(after: number, limit?: number): Promise<readonly EndedTask[]>;
  /** A cursor after all that ended so far; 0 when none did. */
  lastEnded(): Promise<number>;
  /** Ids of tasks that ended as `succeeded` or `undone` before `time` (ISO 8601, UTC), at most `limit`, the longest ago first; default: among all. */
  endedBefore(time: string, limit: number, among?: readonly string[]): Promise<readonly string[]>;
  /**
   * Removes tasks that are `succeeded` or `undone` and hold no lease, each with its plan, journal, commit row and secrets
   * (`task/<id>/`), all in one transaction; others stay. A key of one that is gone is free. Numbers of ends are never
   * given again. @returns how many were removed
   */
  remove(ids: readonly string[]): Promise<number>;
}

/** One step of a task as it was intended and as it came out; the same rows drive the undo. */
export interface JournalRow {
  readonly task: string;
  /** Index of the action in the plan. */
  readonly action: number;
  readonly phase: "do" | "undo";
  readonly state: "begun" | "done" | "failed";
  /** Names the attempt on the server. */
  readonly attempt: string;
  /** Encrypted: prior states, which undo needs; erased after the commit. */
  readonly undo: string | null;
  readonly output: unknown;
  readonly at: string;
}

/** What the register takes up together with something else; removals come first. */
export interface RegisterChanges {
  readonly put: readonly RegisteredResource[];
  readonly remove: readonly ResourceHold[];
}

/** What becomes true with a task's commit row. */
export interface CommitChanges {
  readonly put: readonly RecordChange[];
  readonly deleteRecords: readonly RecordRemoval[];
  readonly register: RegisterChanges;
}

export interface JournalStore {
  /**
   * Appends rows in one durable commit: an outcome together with the next intent (decisions.md D10). Nothing is
   * overwritten: a step that came out has its `begun` row and its `done` or `failed` row. What the rows mean for the
   * register is written with them, and `LeaseStore.lastToken` rises: a resource is registered before its effect (decisions.md D16) at no commit of its own.
   * @throws HW_RESOURCE_CONFLICT; HW_TASK_STATE and writes nothing unless each record of `expect` is at its version
   */
  write(rows: readonly JournalRow[], register?: RegisterChanges, expect?: readonly RecordVersion[]): Promise<void>;
  /** In the order written. */
  read(task: string): Promise<readonly JournalRow[]>;
  /**
   * The pivot (decisions.md D8): the task's commit row, in one transaction with what it changes: removals first, so
   * that a name or resource may pass from one to another. A second commit of the task changes nothing.
   * A task that needs attention, which somebody takes as done, is `running` then. @throws HW_TASK_STATE unless it was one
   * or the other (a cancel came first), or when a version moved; HW_DOMAIN_TAKEN; HW_RESOURCE_CONFLICT. Nothing is changed then.
   */
  commit(task: string, at: string, changes: CommitChanges): Promise<void>;
  isCommitted(task: string): Promise<boolean>;
}

export interface StoredEvent {
  /** In commit order, without gaps seen by a reader. */
  readonly seq: number;
  readonly at: string;
  readonly task: string | null;
  /** `noun:verb`. */
  readonly type: string;
  readonly payload: unknown;
}

export interface EventStore {
  /** Numbers rise, but may leap: an event is never given a number below one that a reader has seen. */
  append(events: readonly Omit<StoredEvent, "seq">[]): Promise<readonly StoredEvent[]>;
  /** Events after a cursor in order, at most `limit` (default 500). */
  after(seq: number, options?: { readonly task?: string; readonly limit?: number }): Promise<readonly StoredEvent[]>;
  /** A cursor after all events so far; 0 when there never was one. */
  last(): Promise<number>;
  /**
   * Removes the oldest events of a task, or the oldest of all as long as they are from before a time (ISO 8601, UTC), at
   * most `limit`. A cursor stays good: who had read less goes on with what is there. @returns how many were removed
   */
  remove(which: { readonly task: string } | { readonly before: string }, limit: number): Promise<number>;
  /** Number of the last event that went by its age; 0 when none did. A reader whose cursor is lower has missed some. */
  removedUpTo(): Promise<number>;
}

/** Ciphertexts only; encryption is done before (AES-256-GCM, key outside the store). */
export interface SecretStore {
  get(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Keeps what is there: the first writer wins, and the stored value is returned. */
  add(id: string, sealed: string): Promise<string>;
  /** Sets it, whether it was there or not. */
  replace(id: string, sealed: string): Promise<void>;
  /** Removes all whose id begins with the prefix. */
  removePrefix(prefix: string): Promise<void>;
  /** Those whose id begins with the prefix, in order of their ids, after one of these, at most `limit`. */
  list(
    prefix: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly { readonly id: string; readonly sealed: string }[]>;
}

/** A plan that was made to be read and approved before it is run (decisions.md D1). */
export interface StoredPlan {
  readonly id: string;
  /** Id of the task that runs it once it is approved: it is given before there is one. */
  readonly task: string;
  /** As in `StoredTask`: what whoever has no key may know of it. */
  readonly request: unknown;
  readonly title: string;
  /** What an approval names; empty while it is being made. */
  readonly hash: string;
  /** Ciphertext; null while it is being made. */
  readonly sealed: string | null;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

export interface PlanStore {
  /** Sets it, whether it was there or not. */
  put(plan: StoredPlan): Promise<void>;
  /** Also one whose time is over, until it is removed. */
  get(id: string): Promise<StoredPlan | null>;
  /** Those whose time was over before `time` (ISO 8601, UTC), in order of their ids, at most `limit`; default: all. */
  expired(time: string, limit?: number): Promise<readonly Pick<StoredPlan, "id" | "task">[]>;
  /** All but the `keep` whose time is over last, at most `limit`, those first whose time is over first. */
  surplus(keep: number, limit: number): Promise<readonly Pick<StoredPlan, "id" | "task">[]>;
  /** All in one transaction. What is not there is no error. */
  remove(ids: readonly string[]): Promise<void>;
}

/** How far a reader came, by the reader's name. Who writes one holds a lease for it. */
export interface BookmarkStore {
  /** Plain JSON as it was put; null when there is none. */
  get(name: string): Promise<unknown>;
  /** Durable when it returns. */
  put(name: string, value: unknown): Promise<void>;
}

export interface Lease {
  /** `site/<id>`, `server/<id>`, `platform/<id>`. */
  readonly scope: string;
  readonly mode: "shared" | "exclusive";
  readonly task: string;
  /** Rises with every grant in the store: the fencing token. What one call of `acquire` grants shares one. */
  readonly token: number;
  /** The worker that holds it, with its process: see `newHolder`. */
  readonly holder: string;
  /** Counts up; an observer judges by its own clock whether it stands still (decisions.md D14). */
  readonly heartbeat: number;
}

export interface LeaseRequest {
  readonly scope: string;
  readonly mode: Lease["mode"];
}

/** What stands in the way of a request for leases. */
export interface Blocker {
  readonly task: string;
  /** The scope that both want. */
  readonly scope: string;
  /** It has no lease of the scope, but is in line for it, in front. */
  readonly waiting: boolean;
  /** It has the lease and its holder is dead, but the task is unfinished: it is to be recovered. */
  readonly dead: boolean;
}

/** What a queued task needs before it may be claimed: see `LeaseStore`. */
export interface Wants {
  /**
   * What it is about, `site/<id>`: of the tasks of one subject only the first in line is looked at, so that a look costs
   * what there are subjects, not tasks. Its own id where it shares it with nobody.
   */
  readonly subject: string;
  /** Each scope once. */
  readonly scopes: readonly LeaseRequest[];
}

/**
 * Exclusive excludes all others, shared only exclusive ones; a task does not exclude itself. A task has one holder.
 * Leases of a dead holder go to the next task that asks, with a new token, unless their task is unfinished (`running`,
 * `cancelling`, `undoing`, `needs-attention`): then they still block others (decisions.md D9), and only another holder
 * of the same task gets them, all at once, to recover it or to resolve it.
 *
 * First come, first served (D13). The line is that of the submissions: who waits is a queued task, which holds nothing, and
 * behind it waits whoever was submitted later and wants what conflicts. Nobody waits behind a task that itself waits for
 * one that needs attention, for nobody knows how long that lasts; nor behind one that waits for another of its own
 * subject. A task that has what others wait for goes before them all: else each would wait for the other.
 * `lease-rules.ts` decides all this for every store.
 */
export interface LeaseStore {
  /**
   * The first queued task that nothing is in the way of; null when there is none. Tasks in `except` are passed over and
   * are in nobody's way. Reads only, and costs little while nothing has changed.
   */
  next(except: ReadonlySet<string>): Promise<string | null>;
  /**
   * Takes a queued task out of the line: it is `running`, and the holder has its own lease `task/<id>` and all that it
   * wants, in one transaction; or what is in the way. Null when it is not queued.
   */
  claim(task: string, holder: string, except?: ReadonlySet<string>): Promise<LeaseAnswer | null>;
  /**
   * Puts a running task back into the line, at the place of its submission: it is `queued` and has no lease. False, and
   * nothing is changed, when it is not `running` or that holder has no lease of it.
   */
  putBack(task: string, holder: string, wants: Wants): Promise<boolean>;
  /**
   * For a task that is claimed, all or none in one transaction; for one that is queued or has ended only what somebody left of
   * it, so that who looks for the dead with an old answer gets nothing; else what is in the way: leases, then tasks in line, each
   * in order. What the holder has already for that task is kept with its token; a shared one becomes exclusive with a new
   * token, if asked. `except` as with `next`. A task that is blocked is in line with what it asked for until it is granted.
   */
  acquire(
    task: string,
    holder: string,
    scopes: readonly LeaseRequest[],
    except?: ReadonlySet<string>,
  ): Promise<LeaseAnswer>;
  /** What is in the way of a task in line, possibly nothing any more; null when it is in none. */
  waiting(task: string): Promise<readonly Blocker[] | null>;
  /** Of all leases of the task. False when the holder has none any more: stop, and start no further effect. */
  heartbeat(task: string, holder: string): Promise<boolean>;
  /**
   * The holder has done with a task that is to be gone on with, or resolved: its leases stand as those of a dead holder, so
   * that whoever looks next gets them at once (decisions.md D39).
   */
  handOver(task: string, holder: string): Promise<void>;
  /** All leases of the task, or its leases on some scopes; with a holder only what is still its own. */
  release(task: string, scopes?: readonly string[], holder?: string): Promise<void>;
  list(): Promise<readonly Lease[]>;
  /**
   * Rises with each grant, to its token, and with each call of `JournalStore.write` that writes; 0 before the first. Never
   * goes back, so that a server that saw a higher one saw a later state of this store than a restored one is in.
   */
  lastToken(): Promise<number>;
}

export type LeaseAnswer = { readonly granted: readonly Lease[] } | { readonly blockedBy: readonly Blocker[] };
