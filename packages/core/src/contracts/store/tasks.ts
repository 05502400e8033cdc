import type { Wants } from "./leases.ts";
import type { RecordDiscard, RecordRemoval } from "./records.ts";

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
  /** Id of the task whose child it is; null where somebody asked for it. */
  readonly parent: string | null;
  readonly key: string | null;
  /** Milliseconds of one worker's work on it, waiting included, after which it is cancelled; null: as long as it takes. */
  readonly timeoutMs: number | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** Value, error and residue of a finished task. */
  readonly outcome: unknown;
}

/** A task as it is put into the queue; without `parent` it is nobody's child. */
export interface TaskSubmission extends Omit<StoredTask, "state" | "finishedAt" | "outcome" | "parent"> {
  readonly parent?: string | null;
  /** Name of what it is about, by which it can be listed; default: none. */
  readonly about?: string;
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
  /**
   * Holder that tells of the end: it is granted the task's own lease, `task/<id>`, with it, so that others tell of it where
   * that one dies before. Default: the lease is as it was, as of a task that has a worker.
   */
  readonly closer?: string;
}

export interface TaskStore {
  /**
   * Stores it as `queued`. A key is its actor's own: the same type, request and plan under it give the task that is
   * there. Without `wants` nothing is in its way. @throws HW_KEY_REUSED when the actor used the key for another request, HW_TASK_STATE when the id is taken.
   */
  submit(task: TaskSubmission, wants?: Wants): Promise<StoredTask>;
  get(id: string): Promise<StoredTask | null>;
  /** Alone, for those who ask again and again: a stored plan may have megabytes. Null when there is no such task. */
  state(id: string): Promise<TaskState | null>;
  /** Place among the queued tasks in the order of submission, 1 being next; null when it is not queued. */
  position(id: string): Promise<number | null>;
  /**
   * In the order of submission, or with `newest` the other way round, those after the task `after`; without `limit` all.
   * With `parent` only the children of that task, with `about` those about one of these names. Plans are not read.
   */
  list(filter?: {
    readonly states?: readonly TaskState[];
    readonly parent?: string;
    readonly about?: readonly string[];
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
  /**
   * Ids of tasks that ended as `succeeded` or `undone` before `time` (ISO 8601, UTC), at most `limit`, the longest ago first;
   * default: of all that `remove` removes, which are those that hold no lease and whose parent has ended so, if they have
   * one.
   */
  endedBefore(time: string, limit: number, among?: readonly string[]): Promise<readonly string[]>;
  /**
   * Removes tasks that are `succeeded` or `undone`, hold no lease and have no parent that is not, each with its plan, journal, commit row and secrets
   * (`task/<id>/`), all in one transaction; others stay. A key of one that is gone is free. Numbers of ends are never
   * given again. @returns how many were removed
   */
  remove(ids: readonly string[]): Promise<number>;
}
