import type { TaskState } from "./store.ts";

/** What became of one child of a task. */
export interface ChildReport {
  /** Its id, for `hw.task(id)`; null when it was never put into the queue. */
  readonly task: string | null;
  readonly title: string;
  /** `not-begun` also where it was put into the queue and taken out of it again. */
  readonly state: TaskState | "not-begun";
  /** What stopped it, shortened; null when it succeeded or was not begun. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** What has become of all children of a task, in the order of their requests. */
export interface ChildrenReport {
  readonly total: number;
  readonly succeeded: number;
  /** Those that were begun and ended in any other way. */
  readonly failed: number;
  readonly notBegun: number;
  readonly children: readonly ChildReport[];
}
