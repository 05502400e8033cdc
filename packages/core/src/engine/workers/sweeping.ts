import type { TaskState } from "../../contracts/store.ts";
import { discardDraft, type EngineParts } from "../planning/task-engine.ts";

/** Longer than any call that saw a plan while it was good. */
const GRACE_MS = 10 * 60 * 1000;
const UNFINISHED: readonly (TaskState | null)[] = ["queued", "running", "cancelling", "undoing"];

/**
 * Removes plans whose time is over, with the draft and the secrets that were made for one that was never begun. A plan
 * whose task is unfinished stays, so that the task ends with its reason. Reads once when there is nothing to do.
 * Journals, events and tasks stay: nothing removes those yet. @returns the ids of the plans that were removed
 */
export async function sweepPlans(
  parts: EngineParts,
  stop: AbortSignal,
  now: number = Date.now(),
): Promise<readonly string[]> {
  const { plans, tasks } = parts.store;
  const over: string[] = [];
  for (const { id, task } of await plans.expired(new Date(now - GRACE_MS).toISOString())) {
    if (stop.aborted) break;
    if (UNFINISHED.includes(await tasks.state(task))) continue;
    await discardDraft(parts, task);
    over.push(id);
  }
  // Last, so that what was not discarded is found again.
  if (over.length > 0) await plans.remove(over);
  return over;
}
