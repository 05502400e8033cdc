import type { StateStore } from "../contracts/store.ts";
import type { Events } from "../engine/events.ts";
import type { TaskOutcome } from "../engine/workers/worker.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";

/**
 * Asks whoever works a task, in whatever process, to stop it and undo what was done; a queued one ends at once. One that is
 * being undone is as it is to be. False when it is finished or past its commit row.
 */
export async function cancelTask(store: StateStore, events: Events, id: string): Promise<boolean> {
  const outcome = cancelledOutcome(id);
  const finishedAt = new Date().toISOString();
  if (await store.tasks.move(id, ["queued"], "undone", { outcome, finishedAt })) {
    // No worker will tell those who wait for it.
    await events.emit(id, "task:finished", outcome);
    return true;
  }
  if (await store.tasks.move(id, ["running"], "cancelling")) return true;
  const state = await store.tasks.state(id);
  return state === "cancelling" || state === "undoing";
}

function cancelledOutcome(id: string): TaskOutcome {
  const error = new HostwrightError("HW_CANCELLED", `Task ${id} was cancelled before it began. Nothing was changed.`);
  return { state: "undone", value: {}, error: error.toJSON(), residue: [] };
}
