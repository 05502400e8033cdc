import type { LeaseRequest } from "../../contracts/store.ts";
import type { Stopped } from "../actions/cancel-error.ts";
import type { Rest } from "./errands.ts";
import type { Turn } from "./turn.ts";

export const NEVER: AbortSignal = new AbortController().signal;

/** How a worker goes about one task. */
export interface Work {
  readonly turn: Turn;
  /** Cancels the task. */
  readonly signal: AbortSignal;
  /** Aborted when the worker closes: the task is handed over at its next journal boundary. */
  readonly closing: AbortSignal;
  /** Ends its waiting for others; what it has begun goes on. */
  readonly waiting: AbortSignal;
  /** Of its children it works so many here at once; the others are for whoever takes them. */
  readonly places: number;
  /** What it does while it waits for its children. */
  readonly rest: Rest;
  /** Another worker had it. */
  readonly resumed: boolean;
}

/** Of each task that somebody works: whoever looks can tell whether that lives. */
export function ownScope(taskId: string): LeaseRequest {
  return { scope: `task/${taskId}`, mode: "exclusive" };
}

export function unbegun(taskId: string): Stopped {
  return { what: `Task ${taskId}`, where: "before its first action", left: "Nothing was changed." };
}
