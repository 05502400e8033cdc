import type { ReadRows, Rows } from "../../contracts/store/tables.ts";
import { byText } from "../order.ts";
import { JOURNAL } from "../tables/journal.ts";
import { LEASES } from "../tables/leases.ts";
import { COMMITS, TASK_PLANS, TASKS, type TaskRow } from "../tables/tasks.ts";
import { pagesOf } from "./pages.ts";
import { removeSecrets } from "./table-secrets.ts";
import { isOver, OVER } from "./task-states.ts";

type Ended = Pick<TaskRow, "id" | "seq" | "state" | "finishedAt" | "parent">;

const COLUMNS = ["id", "seq", "state", "finishedAt", "parent"] as const;

/** See `TaskStore.endedBefore`. By name, what of theirs is over, whoever still reads their ends. */
export async function overBefore(
  rows: ReadRows,
  time: string,
  limit: number,
  among?: readonly string[],
): Promise<readonly string[]> {
  const found = among === undefined ? await removableBefore(rows, time, limit) : await named(rows, among, time);
  return found
    .toSorted((a, b) => byText(a.finishedAt ?? "", b.finishedAt ?? ""))
    .slice(0, limit)
    .map(({ id }) => id);
}

/** See `TaskStore.remove`. */
export async function removeTasks(rows: Rows, ids: readonly string[]): Promise<number> {
  const keys = [...new Set(ids)].map((id) => ({ id }));
  const found = await rows.get(TASKS, keys, COLUMNS);
  const gone = await removable(rows, found.filter(isThereAndOver));
  const of = gone.map(({ id }) => ({ task: id }));
  await rows.remove(TASKS, gone);
  await rows.remove(TASK_PLANS, of);
  await rows.remove(COMMITS, of);
  await rows.remove(JOURNAL, await rows.list(JOURNAL, { of, columns: ["task", "number"] }));
  for (const { id } of gone) await removeSecrets(rows, `task/${id}/`);
  return gone.length;
}

async function removableBefore(rows: ReadRows, time: string, limit: number): Promise<readonly Ended[]> {
  const found: Ended[] = [];
  for (const state of OVER) {
    const most = found.length + limit;
    const query = { by: "finished", of: [{ state }], before: { finishedAt: time }, columns: COLUMNS };
    for await (const page of pagesOf(rows, TASKS, query, ({ finishedAt, seq }) => ({ finishedAt, seq }))) {
      for (const task of await removable(rows, page)) found.push(task);
      if (found.length >= most) break;
    }
  }
  return found;
}

async function named(rows: ReadRows, ids: readonly string[], time: string): Promise<readonly Ended[]> {
  const keys = ids.map((id) => ({ id }));
  const found = await rows.get(TASKS, keys, COLUMNS);
  return found.filter(isThereAndOver).filter(({ finishedAt }) => (finishedAt ?? time) < time);
}

/** Those that hold no lease, and whose parent, if there is one, goes on no more: it finds them by their ids. */
async function removable(rows: ReadRows, tasks: readonly Ended[]): Promise<readonly Ended[]> {
  const of = tasks.map(({ id }) => ({ task: id }));
  const held = new Set((await rows.list(LEASES, { by: "task", of, columns: ["task"] })).map(({ task }) => task));
  const keys = tasks.map(({ parent }) => ({ id: parent ?? "" }));
  const parents = await rows.get(TASKS, keys, ["state"]);
  return tasks.filter(({ id }, index) => !held.has(id) && isOver(parents[index]?.state ?? "undone"));
}

function isThereAndOver(task: Ended | undefined): task is Ended {
  return task !== undefined && isOver(task.state);
}
