import type { TaskState } from "../../contracts/store.ts";

/** Nothing comes back to them; a task that needs attention waits for a person, however long. */
export const OVER: readonly TaskState[] = ["succeeded", "undone"];
/** Somebody works on them, or is to go on with them. */
export const UNDER_WAY: readonly TaskState[] = ["running", "cancelling", "undoing"];
/** Where no committed task goes. */
export const BACKWARDS: readonly TaskState[] = ["cancelling", "undoing", "undone"];

export function isOver(state: TaskState): boolean {
  return OVER.includes(state);
}
