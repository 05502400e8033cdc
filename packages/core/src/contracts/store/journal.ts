import type { RecordChange, RecordRemoval, RecordVersion } from "./records.ts";
import type { RegisterChanges } from "./register.ts";

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
