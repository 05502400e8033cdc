import type { TaskState } from "../../contracts/store.ts";
import { RETENTION } from "../../model/retention.ts";
import { discardDraft, type EngineParts } from "../planning/task-engine.ts";

/** Longer than any call that saw a plan while it was good. */
const GRACE_MS = 10 * 60 * 1000;
const AT_ONCE = 50;
const OVER: readonly (TaskState | null)[] = [null, "succeeded", "undone"];

/**
 * Removes plans whose time is over, and the oldest of too many, with the draft and the secrets that were made for one that
 * was never begun. A plan whose task has not come to its end stays: it is ended by it, also when somebody resolves it. Reads twice when there is
 * nothing to do. @returns the ids of the plans that were removed
 */
export async function sweepPlans(
  parts: EngineParts,
  stop: AbortSignal,
  now: number = parts.clock.now(),
  { keep, limit }: { readonly keep: number; readonly limit: number } = { keep: RETENTION.plans, limit: AT_ONCE },
): Promise<readonly string[]> {
  const { plans, tasks } = parts.store;
  const over: string[] = [];
  const expired = await plans.expired(new Date(now - GRACE_MS).toISOString(), limit);
  for (const { id, task } of [...expired, ...(await plans.surplus(keep, limit))]) {
    if (stop.aborted || over.includes(id)) continue;
    // It may have been submitted since.
    if (!OVER.includes(await tasks.state(task))) continue;
    await discardDraft(parts, task);
    over.push(id);
  }
  // Last, so that what was not discarded is found again.
  if (over.length > 0) await plans.remove(over);
  return over;
}
