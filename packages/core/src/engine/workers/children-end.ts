import type { ChildReport, ChildrenReport } from "../../contracts/children-report.ts";
import type { ListedTask } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { PlannedChild } from "../planning/plan.ts";
import { hasEnded } from "../task-ends.ts";
import type { StoredOutcome } from "./stored-outcome.ts";

/** Why a task begins no further child. */
export type StopCode = "HW_BATCH_STOPPED" | "HW_CANCELLED" | "HW_TASK_TIMEOUT";

/** A report names each of thousands. */
const LONGEST = 300;

const DID: Readonly<Record<StopCode, string>> = {
  HW_BATCH_STOPPED: "began no further child, since too many had failed",
  HW_CANCELLED: "was cancelled",
  HW_TASK_TIMEOUT: "ran out of time",
};

/** Of all children, by those that were put into the line, in that order. Pure. */
export function reportOf(list: readonly PlannedChild[], tasks: readonly ListedTask[]): ChildrenReport {
  const children = list.map(({ title }, index) => childReport(title.slice(0, LONGEST), tasks[index]));
  const count = (test: (child: ChildReport) => boolean): number => children.filter(test).length;
  return {
    total: list.length,
    succeeded: count(({ state }) => state === "succeeded"),
    failed: count(({ state }) => state === "undone" || state === "needs-attention"),
    notBegun: count(({ state }) => state === "not-begun"),
    children,
  };
}

/** Of a task that began no further child; what its children have done is theirs, and stays. */
export function stopError(title: string, code: StopCode, report: ChildrenReport): HostwrightError {
  const { total, succeeded, failed, notBegun } = report;
  return new HostwrightError(
    code,
    `${title} ${DID[code]}: of ${total} children ${succeeded} succeeded, ${failed} failed, ${notBegun} not begun. ` +
      "What they did stays as it is.",
    { remedy: "See the report for what became of each, and ask again for those that are wanted." },
  );
}

/** Of a child that was in line when its parent stopped. */
export function withdrawnError(child: string, parent: string): HostwrightError {
  return new HostwrightError(
    "HW_BATCH_STOPPED",
    `Task ${child} was taken out of the queue before it began, since task ${parent}, whose child it is, has stopped. Nothing was changed.`,
    { remedy: "Ask for it again if it is wanted.", data: { parent } },
  );
}

function childReport(title: string, task: ListedTask | undefined): ChildReport {
  if (task === undefined) return { task: null, title, state: "not-begun", error: null };
  const { id, state } = task;
  const error = hasEnded(state) ? ((task.outcome as StoredOutcome | null)?.error ?? null) : null;
  if (error?.["code"] === "HW_BATCH_STOPPED") return { task: id, title, state: "not-begun", error: null };
  const said = error && { code: String(error["code"]), message: String(error["message"]).slice(0, LONGEST) };
  return { task: id, title, state, error: said };
}
