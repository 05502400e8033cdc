import type { StateStore } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { planOf } from "./stored-plans.ts";
import { endingOf } from "./task-ends.ts";
import type { StoredOutcome } from "./stored-outcome.ts";
import type { Worker } from "./worker.ts";
import { timeText } from "../../model/time.ts";

/** What an operator decides for a task that needs attention. */
export type Resolution = "retry" | "complete" | "skip" | "abandon";

/**
 * Ends a task that needs attention. `retry` undoes what is left once more; `complete` takes it as done: its records are
 * committed as they stand in its plan, and its clean-ups follow; `skip` takes it as repaired by hand and ends the task as
 * undone; `abandon` does so too but keeps its records, reserved names and secrets. What the task has is kept until it is
 * over, so that who waits for its site does not find it half undone.
 * @throws HW_TASK_STATE when it does not need attention, or somebody else resolves it; HW_PLUGIN_MISSING when it cannot be
 * undone here
 */
export async function resolveTask(
  worker: Worker,
  store: StateStore,
  taskId: string,
  how: Resolution,
): Promise<StoredOutcome | null> {
  const task = await store.tasks.get(taskId);
  if (task?.state !== "needs-attention") throw notNeeded(taskId);
  if (how === "retry" || how === "complete") await worker.stranding.require(task);
  const outcome = await worker.resolving(taskId, async (engine) => {
    const { tasks } = engine.store;
    if (how === "retry") {
      if (!(await tasks.move(taskId, ["needs-attention"], "undoing"))) throw notNeeded(taskId);
      return "go on";
    }
    const plan = await planOf(engine, task, { begun: true });
    if (how === "complete") {
      if (plan === null) throw neverPlanned(taskId);
      await worker.run(plan).commitAsDone();
      return "go on";
    }
    const undone = { ...(task.outcome as StoredOutcome), state: "undone" } as const;
    const gone =
      how === "skip" ? endingOf(taskId, "undone", plan, null) : endingOf(taskId, "needs-attention", null, null);
    const end = { state: "undone", outcome: undone, finishedAt: timeText(engine.clock), ...gone } as const;
    if (!(await tasks.end(taskId, ["needs-attention"], end))) throw notNeeded(taskId);
    await worker.close(taskId, undone);
    return undone;
  });
  if (outcome === null) throw notNeeded(taskId);
  return outcome;
}

function notNeeded(taskId: string): HostwrightError {
  return new HostwrightError(
    "HW_TASK_STATE",
    `Task ${taskId} does not need attention, or somebody resolves it at this moment. Nothing was changed.`,
  );
}

function neverPlanned(taskId: string): HostwrightError {
  return new HostwrightError("HW_TASK_STATE", `Task ${taskId} was never planned. Nothing was changed.`);
}
