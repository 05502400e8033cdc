import type { LeaseRequest, TaskState } from "../../contracts/store.ts";
import type { Waiting } from "../lease-rules.ts";
import type { Transactions } from "./transactions.ts";

interface Row extends Omit<Waiting, "scopes"> {
  readonly scopes: string;
}

const COLUMNS = "id AS task, state, seq AS place, waits AS scopes";

// One step of the index for each subject, however many tasks it has; then the first of each that is not passed over.
const HEADS = `WITH RECURSIVE subjects (subject) AS (
    SELECT min(subject) FROM tasks WHERE waits IS NOT NULL
    UNION ALL
    SELECT (SELECT min(subject) FROM tasks WHERE waits IS NOT NULL AND subject > subjects.subject)
      FROM subjects WHERE subjects.subject IS NOT NULL
  )
  SELECT ${COLUMNS} FROM subjects CROSS JOIN tasks ON tasks.seq =
    (SELECT seq FROM tasks WHERE waits IS NOT NULL AND subject = subjects.subject
       AND id NOT IN (SELECT value FROM json_each(?1)) ORDER BY seq LIMIT 1)
  ORDER BY seq`;

/** The first task in line of each subject, in the order of submission. */
export function headsOfLine(db: Transactions, except: ReadonlySet<string>): readonly Waiting[] {
  return db.all<Row>(HEADS, JSON.stringify([...except])).map(parse);
}

/** The heads of all subjects, and the tasks in front of this one that have its own subject. */
export function lineBefore(db: Transactions, task: string, except: ReadonlySet<string>): readonly Waiting[] {
  const sql = `SELECT ${COLUMNS} FROM tasks WHERE waits IS NOT NULL AND subject = (SELECT subject FROM tasks WHERE id = ?1)
    AND seq < (SELECT seq FROM tasks WHERE id = ?1) AND id NOT IN (SELECT value FROM json_each(?2)) ORDER BY seq`;
  const own = db.all<Row>(sql, task, JSON.stringify([...except])).map(parse);
  const known = new Set(own.map((one) => one.task));
  const heads = headsOfLine(db, except).filter((one) => !known.has(one.task));
  return [...own, ...heads].toSorted((a, b) => a.place - b.place);
}

/** Its place and what it waits for, null when it is not in line; undefined when there is no such task. */
export function placeOf(
  db: Transactions,
  task: string,
): { readonly place: number; readonly state: TaskState; readonly scopes: readonly LeaseRequest[] | null } | undefined {
  const sql = "SELECT seq AS place, state, waits AS scopes FROM tasks WHERE id = ?";
  const row = db.get<{ place: number; state: TaskState; scopes: string | null }>(sql, task);
  if (row === undefined) return undefined;
  return { ...row, scopes: row.scopes === null ? null : (JSON.parse(row.scopes) as readonly LeaseRequest[]) };
}

function parse(row: Row): Waiting {
  return { ...row, scopes: JSON.parse(row.scopes) as readonly LeaseRequest[] };
}
