import type { JournalStore, TaskEnding } from "../../contracts/store.ts";
import { describe, leftOf } from "../actions/action-context.ts";
import { isBegun } from "../actions/activations.ts";
import type { Residue } from "../../model/residue.ts";
import type { SiteRecord } from "../../model/records.ts";
import type { PlanData } from "../planning/plan.ts";
import type { TaskEnd } from "./task-run.ts";

/**
 * What was begun of a task and not undone, where nothing comes to its undo any more: its plan cannot be read, or the store
 * failed. Such a task is not undone, whatever it failed with.
 */
export async function leftBegun(
  journal: JournalStore,
  task: string,
  plan: PlanData | null,
  error: unknown,
): Promise<readonly Residue[]> {
  const [begun, undone] = [new Set<number>(), new Set<number>()];
  for (const row of await journal.read(task)) {
    if (row.phase === "do") {
      begun.add(row.action);
      undone.delete(row.action);
    } else if (row.state === "done" && (row.output as readonly Residue[]).length === 0) undone.add(row.action);
  }
  const reason = describe(error).message;
  if (plan === null)
    return [...begun]
      .filter((index) => !undone.has(index))
      .toReversed()
      .map((index) => ({ server: "", type: "run", key: `action ${index}`, reason }));
  return plan.actions
    .flatMap((action, index) => (isBegun(plan.actions, index, begun) && !undone.has(index) ? [action] : []))
    .toReversed()
    .flatMap((action) => leftOf(action, error));
}

/** The commit row stands: what failed after it is listed, and nothing is taken back. */
export function committedEnd(plan: PlanData, error: unknown): TaskEnd {
  const reason = error instanceof Error ? error.message : String(error);
  const residue = [{ server: plan.actions.at(-1)?.serverName ?? "", type: "run", key: plan.title, reason }];
  return { plan, value: plan.value, committed: true, error: null, residue };
}

/** What goes with the end of a task: of what was never committed nothing stays, records, reserved names and secrets. */
export function endingOf(
  task: string,
  state: TaskEnding["state"],
  plan: PlanData | null,
  draft: SiteRecord | null,
): Pick<TaskEnding, "deleteRecords" | "discards" | "eraseSecrets"> {
  const nothing = { deleteRecords: [], discards: [], eraseSecrets: [] };
  if (state === "needs-attention") return nothing;
  if (state === "succeeded") return { ...nothing, eraseSecrets: plan?.eraseOnCommit ?? [] };
  const drafts = draft === null ? [] : [draft];
  return {
    // Of what was not even reserved nothing can be left anywhere: its number is given back.
    discards: drafts.map(({ id, uid }) => ({ kind: "site", id, number: { counter: "uid", value: uid } })),
    deleteRecords: plan?.release.filter(({ id }) => id !== draft?.id) ?? [],
    eraseSecrets: [...(plan?.eraseOnUndo ?? []), `task/${task}/`, ...drafts.map(({ id }) => `site/${id}/`)],
  };
}
