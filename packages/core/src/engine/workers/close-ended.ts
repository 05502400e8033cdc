import type { StateStore, TaskState } from "../../contracts/store.ts";
import type { Events } from "../events.ts";
import type { TaskOutcome } from "./worker.ts";

const ENDED: readonly (TaskState | null)[] = ["succeeded", "undone", "needs-attention"];

export interface Closing {
  readonly store: StateStore;
  readonly events: Events;
  readonly holder: string;
}

/**
 * The last of a task, once its outcome is stored: it is told, then its own lease goes with those that it holds no longer.
 * That lease stands for as long as this is not done: see `closeEnded`.
 */
export async function closeTask({ store, events, holder }: Closing, task: string, outcome: TaskOutcome): Promise<void> {
  const { state, error, residue } = outcome;
  await events.emit(task, "task:finished", { state, error, residue });
  await store.leases.release(task, state === "needs-attention" ? [`task/${task}`] : undefined, holder);
}

/** Closes tasks whose worker died between their outcome and this: a second `task:finished` may be told. */
export async function closeEnded(closing: Closing, isActive: (task: string) => boolean): Promise<void> {
  const { tasks, leases } = closing.store;
  for (const { task, scope } of await leases.list()) {
    if (scope !== `task/${task}` || isActive(task) || !ENDED.includes(await tasks.state(task))) continue;
    const answer = await leases.acquire(task, closing.holder, [{ scope, mode: "exclusive" }]);
    const stored = "granted" in answer && !isActive(task) ? await tasks.get(task) : null;
    if (stored !== null) await closeTask(closing, task, stored.outcome as TaskOutcome);
  }
}
