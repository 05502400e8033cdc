import { errorJson } from "../../errors/hostwright-error.ts";
import { draftOf } from "../planning/drafts.ts";
import type { Events } from "../events.ts";
import { newHolder } from "../../store/holder.ts";
import { closeTask } from "./close-ended.ts";
import { endingOf } from "./task-ends.ts";
import type { StoredOutcome } from "./stored-outcome.ts";
import type { EngineParts } from "../planning/task-engine.ts";
import { timeText } from "../../model/time.ts";

export type EndingParts = Pick<EngineParts, "store" | "clock">;

/**
 * Ends a task that nobody has begun, with its reason, and tells of it as of any other: whatever becomes of this process, it
 * is told. Null when it is not queued any more.
 */
export async function endQueued(
  { store, clock }: EndingParts,
  events: Events,
  id: string,
  why: unknown,
): Promise<StoredOutcome | null> {
  const { tasks, records } = store;
  const holder = newHolder();
  const outcome: StoredOutcome = { state: "undone", value: {}, error: errorJson(why), residue: [] };
  const task = await tasks.get(id);
  // An approved plan's draft is the plan's, which goes with its time.
  const draft = task?.plan === null ? await draftOf(records, id) : null;
  const end = { state: "undone", outcome, finishedAt: timeText(clock) } as const;
  if (!(await tasks.end(id, ["queued"], { ...end, ...endingOf(id, "undone", null, draft), closer: holder })))
    return null;
  // It has ended: what fails now is made up for by whoever finds its lease.
  await closeTask({ store, events, holder }, id, outcome).catch(() => undefined);
  return outcome;
}
