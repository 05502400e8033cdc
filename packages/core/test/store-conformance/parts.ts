import type {
  CommitChanges,
  JournalRow,
  StateStore,
  TaskEnding,
  TaskState,
  TaskSubmission,
} from "../../src/contracts/store.ts";

export const AT = "2026-01-02T03:04:05.000Z";

export function aTask(id: string, change: Partial<TaskSubmission> = {}): TaskSubmission {
  return {
    id,
    type: "install",
    request: { domain: "a.test" },
    plan: null,
    actor: "system",
    key: null,
    timeoutMs: null,
    createdAt: AT,
    ...change,
  };
}

export function aRow(task: string, change: Partial<JournalRow> = {}): JournalRow {
  return { task, action: 0, phase: "do", state: "begun", attempt: "a1", undo: null, output: null, at: AT, ...change };
}

export function changes(change: Partial<CommitChanges> = {}): CommitChanges {
  return { put: [], deleteRecords: [], register: { put: [], remove: [] }, ...change };
}

/** Ends a task with nothing that goes with it. */
export async function ended(
  { tasks }: Pick<StateStore, "tasks">,
  id: string,
  from: TaskState,
  state: TaskEnding["state"],
  outcome: unknown = null,
): Promise<boolean> {
  return tasks.end(id, [from], { state, outcome, finishedAt: AT, deleteRecords: [], discards: [], eraseSecrets: [] });
}

export async function running(store: StateStore, id: string): Promise<void> {
  await store.tasks.submit(aTask(id));
  await store.tasks.move(id, ["queued"], "running");
}
