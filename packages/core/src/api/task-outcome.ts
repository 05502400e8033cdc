import type { StoredOutcome } from "../engine/workers/stored-outcome.ts";
import { errorFromJson, type HostwrightError } from "../errors/hostwright-error.ts";
import type { Residue } from "../model/residue.ts";

interface Ended {
  /** What could not be undone or cleaned up, exactly. */
  readonly residue: readonly Residue[];
}

/** How a task ended (decisions.md D42): with its value, or with the error that stopped it. */
export type TaskOutcome<Value = unknown> =
  | (Ended & { readonly state: "succeeded"; readonly value: Value; readonly error: null })
  | (Ended & {
      /**
       * `undone`: everything is as it was before. `needs-attention`: the residue lists what is not. Of a task with children
       * `undone` says that nothing of its own is left: each child has its own end, and what it did stays.
       */
      readonly state: "undone" | "needs-attention";
      readonly value: null;
      /** With the task's id, state and residue as its data; of a task with children also their `report`. */
      readonly error: HostwrightError;
    });

/** The outcome as callers have it; `value` is that of the stored one, with its secrets. */
export function outcomeOf<Value>(task: string, stored: StoredOutcome, value: Value): TaskOutcome<Value> {
  const { state, residue } = stored;
  if (state === "succeeded") return { state, value, error: null, residue };
  return { state, value: null, error: errorOf(task, stored), residue };
}

function errorOf(task: string, { state, value, error, residue }: StoredOutcome): HostwrightError {
  const said = { message: `Task ${task} failed.`, ...error };
  const left =
    residue.length === 0 ? "" : ` Left behind: ${residue.map((item) => `${item.key} on ${item.server}`).join(", ")}.`;
  const report = "children" in value ? { report: value } : {};
  const data = { ...(said as { readonly data?: object }).data, task, state, residue, ...report };
  return errorFromJson({ ...said, message: `${said.message}${left}`, data });
}
