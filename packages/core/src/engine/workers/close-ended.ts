import type { StateStore, TaskState } from "../../contracts/store.ts";
import type { Events } from "../events.ts";
import { isFreed } from "../../store/lease-rules.ts";
import type { StoredOutcome } from "./stored-outcome.ts";
import { ownScope } from "./work.ts";

const ENDED: readonly (TaskState | null)[] = ["succeeded", "undone", "needs-attention"];

export interface Closing {
  readonly store: StateStore;
  readonly events: Events;
  readonly holder: string;
}

/**
 * The last of a task, once its outcome is stored: it is told, then its leases go, its own with them. That one stands until
 * the end is stored as an event, so that `closeEnded` tells it where this process dies before; the others keep nobody
 * waiting for that. What a task that needs attention had alone is nobody's from then on, until somebody resolves it.
 */
export async function closeTask(
  { store, events, holder }: Closing,
  task: string,
  outcome: StoredOutcome,
): Promise<void> {
  const { leases } = store;
  const { state, error, residue } = outcome;
  const isTold = await events.emit(task, "task:finished", { state, error, residue });
  if (isTold && state !== "needs-attention") return leases.release(task, undefined, holder);
  const own = ownScope(task).scope;
  const freed = (await leases.list())
    .filter((lease) => lease.task === task && (state !== "needs-attention" || isFreed(lease)))
    .map(({ scope }) => scope)
    .filter((scope) => isTold || scope !== own);
  await leases.release(task, freed, holder);
  await leases.handOver(task, holder);
}

/**
 * Closes tasks whose worker died between their outcome and this, or could not store that they ended: a second
 * `task:finished` may be told. While no event can be stored, they wait.
 */
export async function closeEnded(closing: Closing, isActive: (task: string) => boolean): Promise<void> {
  const { tasks, leases } = closing.store;
  for (const { task, scope } of await leases.list()) {
    if (scope !== `task/${task}` || isActive(task) || !ENDED.includes(await tasks.state(task))) continue;
    if (!(await closing.events.flush())) return;
    if (await takenOver(closing, task)) {
      const stored = isActive(task) ? null : await tasks.get(task);
      // One whose outcome nobody can read has nothing to be told, and keeps no other from it.
      if (stored?.outcome === null) await leases.release(task, undefined, closing.holder);
      else if (stored !== null) await closeTask(closing, task, stored.outcome as StoredOutcome);
    }
  }
}

/** Asks for nothing new: who closes it at this moment may have let go of all that the list showed. */
async function takenOver({ store: { leases }, holder }: Closing, task: string): Promise<boolean> {
  await leases.acquire(task, holder, []);
  return (await leases.list()).some((lease) => lease.scope === `task/${task}` && lease.holder === holder);
}
