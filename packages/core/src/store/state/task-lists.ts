import type { TaskStore } from "../../contracts/store.ts";
import type { Query, ReadRows } from "../../contracts/store/tables.ts";
import { TASKS, type TaskRow } from "../tables/tasks.ts";
import { pagesOf } from "./pages.ts";

/** Tasks that are read at once. */
const MOST = 500;

export type TaskFilter = NonNullable<Parameters<TaskStore["list"]>[0]>;

/** See `TaskStore.list`: each filter by the list that has its order. */
export async function listTasks(rows: ReadRows, filter: TaskFilter): Promise<readonly TaskRow[]> {
  const { parent, about, states, limit, newest = false } = filter;
  const [after] = filter.after === undefined ? [] : await rows.get(TASKS, [{ id: filter.after }], ["seq"]);
  if (filter.after !== undefined && after === undefined) return [];
  const place = { reverse: newest, ...(after === undefined ? {} : { after: { seq: after.seq } }) };
  if (parent !== undefined) return listed(rows, { by: "children", of: [{ parent }], ...place }, filter);
  if (about !== undefined) {
    const lists = [];
    for (const name of new Set(about))
      lists.push(await listed(rows, { by: "about", of: [{ about: name }], ...place }, filter));
    return inOrder(lists.flat(), filter);
  }
  const most = limit === undefined ? {} : { limit };
  if (states === undefined) return rows.list(TASKS, { by: "order", ...place, ...most });
  const of = [...new Set(states)].map((state) => ({ state }));
  return inOrder(await rows.list(TASKS, { by: "state", of, ...place, ...most }), filter);
}

function inOrder(found: readonly TaskRow[], { newest = false, limit }: TaskFilter): readonly TaskRow[] {
  return found.toSorted((a, b) => (newest ? b.seq - a.seq : a.seq - b.seq)).slice(0, limit);
}

/** Those of one list that have none but the states and names that were asked for. */
async function listed(
  rows: ReadRows,
  query: Query<TaskRow>,
  { states, about, limit = Infinity }: TaskFilter,
): Promise<readonly TaskRow[]> {
  const found: TaskRow[] = [];
  for await (const page of pagesOf(rows, TASKS, query, ({ seq }) => ({ seq }), Math.min(limit, MOST))) {
    for (const task of page) {
      if (states?.includes(task.state) === false) continue;
      if (about?.includes(task.about ?? "") === false) continue;
      found.push(task);
    }
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}
