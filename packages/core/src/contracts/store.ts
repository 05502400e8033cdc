import type { StoreKernel } from "./store/kernel.ts";
import type { BookmarkStore } from "./store/bookmarks.ts";
import type { EventStore } from "./store/events.ts";
import type { JournalStore } from "./store/journal.ts";
import type { LeaseStore } from "./store/leases.ts";
import type { PlanStore } from "./store/plans.ts";
import type { RecordStore } from "./store/records.ts";
import type { RegisterStore } from "./store/register.ts";
import type { SecretStore } from "./store/secrets.ts";
import type { TaskStore } from "./store/tasks.ts";

export type { BookmarkStore } from "./store/bookmarks.ts";
export type { EventStore, StoredEvent } from "./store/events.ts";
export type { CommitChanges, JournalRow, JournalStore } from "./store/journal.ts";
export type { Blocker, Lease, LeaseAnswer, LeaseRequest, LeaseStore, Wants } from "./store/leases.ts";
export type { PlanStore, StoredPlan } from "./store/plans.ts";
export type {
  PutOptions,
  RecordChange,
  RecordDiscard,
  RecordKind,
  RecordQuery,
  RecordReference,
  RecordRemoval,
  RecordStore,
  RecordVersion,
  StoredRecord,
} from "./store/records.ts";
export type {
  RegisterChanges,
  RegisterStore,
  RegisteredOwner,
  RegisteredResource,
  ResourceHold,
} from "./store/register.ts";
export type { SealedSecret } from "./store/sealed-secret.ts";
export type { SecretStore } from "./store/secrets.ts";
export type {
  EndedTask,
  ListedTask,
  StoredTask,
  TaskEnding,
  TaskState,
  TaskStore,
  TaskSubmission,
} from "./store/tasks.ts";

/** Durable state (decisions.md D15). SQLite by default; each part is small, so that another store can be written and proved. */
export interface StateStore extends TaskWrites {
  readonly reach: StoreKernel["reach"];
  readonly events: EventStore;
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
  readonly keyCheck: {
    get(): Promise<string | null>;
    /** False, and nothing is changed, when it is not `before` any more. */
    set(check: string, before: string | null): Promise<boolean>;
  };
  /** What the store finds damaged in its own files, in words, and what these say of each other; none when it is whole. */
  integrity(): Promise<readonly { readonly file: string; readonly what: string }[]>;
  /**
   * For a store that was restored from a backup. In one transaction: the epoch rises by one; each task that is `running`,
   * `cancelling` or `undoing` and has no commit row becomes `needs-attention` with this outcome and `at` as its
   * `finishedAt`, so that it has ended (see `TaskStore.ended`); the leases of these tasks go that such a task frees (`isFreed`: shared ones, servers, each task's own), and all others are held by `NOBODY` from then on, with
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
  readonly plans: PlanStore;
}

export interface EpochRaised {
  readonly epoch: number;
  /** Tasks that need attention from now on, in the order of their submission. */
  readonly tasks: readonly string[];
}
