import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { Events } from "../events.ts";
import { endQueued, type EndingParts } from "./end-queued.ts";

/**
 * Asks whoever works a task, in whatever process, to stop it and undo what was done; a queued one ends at once. One that is
 * being undone is as it is to be. False when it is finished or past its commit row.
 */
export async function cancelTask(parts: EndingParts, events: Events, id: string): Promise<boolean> {
  const { store } = parts;
  const why = new HostwrightError("HW_CANCELLED", `Task ${id} was cancelled before it began. Nothing was changed.`);
  if ((await endQueued(parts, events, id, why)) !== null) return true;
  if (await store.tasks.move(id, ["running"], "cancelling")) return true;
  const state = await store.tasks.state(id);
  return state === "cancelling" || state === "undoing";
}
