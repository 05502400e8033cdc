import type {
  JournalRow,
  Lease,
  LeaseRequest,
  RegisteredResource,
  StoredEvent,
  StoredPlan,
  StoredRecord,
  StoredTask,
} from "../../src/contracts/store.ts";

export interface TaskRow extends Omit<StoredTask, "request" | "plan" | "outcome"> {
  readonly request: string;
  readonly plan: string;
  readonly outcome: string;
  /** What was submitted, for whoever uses its key again. */
  readonly submitted: string;
  /** Place among those that ended; 0: it did not. */
  readonly ended: number;
  /** In line: see `LeaseStore`. */
  readonly place: number;
  readonly subject: string;
  readonly waits: readonly LeaseRequest[] | null;
}

export interface RecordRow extends Omit<StoredRecord, "value"> {
  readonly value: string;
}

/** All that a store in memory keeps. Rows are never changed in place, so that a shallow copy is a snapshot. */
export interface Tables {
  readonly installation: string;
  epoch: number;
  keyCheck: string | null;
  records: Map<string, RecordRow>;
  /** `kind name` to id. */
  claims: Map<string, string>;
  counters: Map<string, number>;
  /** Numbers that were given back, by counter. */
  returned: Map<string, Set<number>>;
  register: Map<string, RegisteredResource>;
  tasks: Map<string, TaskRow>;
  journal: Map<string, readonly JournalRow[]>;
  commits: Set<string>;
  events: StoredEvent[];
  lastEvent: number;
  /** Number of the last that went by its age. */
  removedEvents: number;
  secrets: Map<string, string>;
  plans: Map<string, StoredPlan>;
  /** JSON by name. */
  bookmarks: Map<string, string>;
  leases: Map<string, Lease>;
}

export function emptyTables(installation: string): Tables {
  return {
    installation,
    epoch: 1,
    keyCheck: null,
    records: new Map(),
    claims: new Map(),
    counters: new Map(),
    returned: new Map(),
    register: new Map(),
    tasks: new Map(),
    journal: new Map(),
    commits: new Set(),
    events: [],
    lastEvent: 0,
    removedEvents: 0,
    secrets: new Map(),
    plans: new Map(),
    bookmarks: new Map(),
    leases: new Map(),
  };
}

/** All or nothing, for what may be refused half way: records, names, resources and the commit row. */
export function atomically<T>(tables: Tables, work: () => T): T {
  const { records, claims, register, commits, secrets } = tables;
  const before = {
    records: new Map(records),
    claims: new Map(claims),
    register: new Map(register),
    commits: new Set(commits),
  };
  const sealed = new Map(secrets);
  try {
    return work();
  } catch (error) {
    Object.assign(tables, before);
    // The map itself is the secrets' own.
    secrets.clear();
    for (const [id, text] of sealed) secrets.set(id, text);
    throw error;
  }
}

export function keyOf(...parts: readonly string[]): string {
  return parts.join("\n");
}

export function nextNumber(tables: Tables, counter: string, from: number): number {
  const number = Math.max((tables.counters.get(counter) ?? -1) + 1, from);
  tables.counters.set(counter, number);
  return number;
}
