/** Durable state (decisions.md D15). SQLite by default; each part is small, so that another store can be written and proved. */
export interface StateStore {
  readonly records: RecordStore;
  readonly register: RegisterStore;
  readonly tasks: TaskStore;
  readonly journal: JournalStore;
  readonly events: EventStore;
  readonly secrets: SecretStore;
  readonly leases: LeaseStore;
  /** Stable identity of this installation and the epoch of this store: a restored store raises it (decisions.md D12). */
  identity(): Promise<{ readonly installation: string; readonly epoch: number }>;
  close(): Promise<void>;
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
export interface RecordChange extends Omit<StoredRecord, "version"> {
  readonly expect: number;
  readonly claims: readonly string[];
}

export interface RecordRemoval {
  readonly kind: RecordKind;
  readonly id: string;
  /** Present version; left out: whatever it is. */
  readonly expect?: number;
}

export interface RecordStore {
  /** By id or by name; an id is looked for first. */
  get(kind: RecordKind, idOrName: string): Promise<StoredRecord | null>;
  list(kind: RecordKind): Promise<readonly StoredRecord[]>;
  /**
   * Creates (`expect` 0) or replaces (`expect` = present version) in one transaction with the names it claims, which
   * replace those claimed before; its own name is always among them.
   * Names (all domains of a site) are unique over the kind. @throws HW_DOMAIN_TAKEN, HW_TASK_STATE (version moved).
   */
  put(
    record: Omit<StoredRecord, "version">,
    options: { readonly expect: number; readonly claims: readonly string[] },
  ): Promise<StoredRecord>;
  /** With its claims. What is not there is no error. */
  delete(kind: RecordKind, id: string): Promise<void>;
  /** The id of the record that claims a name of that kind; null if none does. */
  claimedBy(kind: RecordKind, name: string): Promise<string | null>;
  /** A number never given out before from that counter, at least `from` (unix ids, decisions.md D23). */
  nextNumber(counter: string, from: number): Promise<number>;
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
  /** Everything registered on a server, in one query. */
  onServer(server: string): Promise<readonly RegisteredResource[]>;
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
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** Value, error and residue of a finished task. */
  readonly outcome: unknown;
}

export interface TaskStore {
  /**
   * Stores it as `queued`. A key is its actor's own: the same type, request and plan under it give the task that is
   * there. @throws HW_KEY_REUSED when the actor used the key for another request, HW_TASK_STATE when the id is taken.
   */
  submit(task: Omit<StoredTask, "state" | "finishedAt" | "outcome">): Promise<StoredTask>;
  get(id: string): Promise<StoredTask | null>;
  /** Alone, for those who ask again and again: a stored plan may have megabytes. Null when there is no such task. */
  state(id: string): Promise<TaskState | null>;
  /** In the order of submission; without `limit` all. */
  list(filter?: { readonly states?: readonly TaskState[]; readonly limit?: number }): Promise<readonly StoredTask[]>;
  /**
   * Compare-and-set of the state; false when it was another. A committed task goes forward only (decisions.md D8):
   * `cancelling`, `undoing` and `undone` are answered with false.
   */
  move(
    id: string,
    from: readonly TaskState[],
    to: TaskState,
    change?: Partial<Pick<StoredTask, "plan" | "outcome" | "finishedAt">>,
  ): Promise<boolean>;
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

/** What becomes true with a task's commit row. */
export interface CommitChanges {
  readonly put: readonly RecordChange[];
  readonly deleteRecords: readonly RecordRemoval[];
  readonly register: { readonly put: readonly RegisteredResource[]; readonly remove: readonly ResourceHold[] };
}

export interface JournalStore {
  /**
   * Appends rows in one durable commit: an outcome together with the next intent (decisions.md D10). Nothing is
   * overwritten: a step that came out has its `begun` row and its `done` or `failed` row.
   * With a holder: @throws HW_LEASE_LOST and writes nothing unless it holds a lease of each task.
   */
  write(rows: readonly JournalRow[], holder?: string): Promise<void>;
  /** In the order written. */
  read(task: string): Promise<readonly JournalRow[]>;
  /**
   * The pivot (decisions.md D8): the task's commit row, in one transaction with what it changes: removals first, so
   * that a name or resource may pass from one to another. A second commit of the task changes nothing.
   * @throws HW_TASK_STATE unless the task is `running` (a cancel came first) or a version moved; HW_DOMAIN_TAKEN;
   * HW_RESOURCE_CONFLICT; with a holder HW_LEASE_LOST unless it holds a lease of the task. Nothing is changed then.
   */
  commit(task: string, at: string, changes: CommitChanges, holder?: string): Promise<void>;
  isCommitted(task: string): Promise<boolean>;
  /** Removes prior states of a finished task. */
  eraseUndo(task: string): Promise<void>;
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
}

export interface Lease {
  /** `site/<id>`, `server/<id>`, `platform/<id>`. */
  readonly scope: string;
  readonly mode: "shared" | "exclusive";
  readonly task: string;
  /** Rises with every grant in the store: the fencing token. What one call of `acquire` grants shares one. */
  readonly token: number;
  /** The process that holds it: pid, start time and boot id. */
  readonly holder: string;
  /** Counts up; an observer judges by its own clock whether it stands still (decisions.md D14). */
  readonly heartbeat: number;
}

export interface LeaseRequest {
  readonly scope: string;
  readonly mode: Lease["mode"];
}

/**
 * Exclusive excludes all others, shared only exclusive ones; a task does not exclude itself. A task has one holder.
 * Leases of a dead holder go to the next task that asks, with a new token, unless their task is unfinished (`running`,
 * `cancelling`, `undoing`, `needs-attention`): then they still block others (decisions.md D9), and only another holder
 * of the same task gets them, all at once, to recover it.
 */
export interface LeaseStore {
  /**
   * All or none, in one transaction; else the leases in the way. What the holder has already for that task is kept with
   * its token; a shared one becomes exclusive with a new token, if asked.
   */
  acquire(
    task: string,
    holder: string,
    scopes: readonly LeaseRequest[],
  ): Promise<{ readonly granted: readonly Lease[] } | { readonly blockedBy: readonly Lease[] }>;
  /** False when the holder has no lease of the task any more: stop, and start no further effect. */
  heartbeat(task: string, holder: string): Promise<boolean>;
  /** All leases of the task, or those on some scopes; with a holder only what is still its own. */
  release(task: string, scopes?: readonly string[], holder?: string): Promise<void>;
  list(): Promise<readonly Lease[]>;
}
