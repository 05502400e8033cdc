import { createHash } from "node:crypto";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { canonicalJson } from "../../model/canonical.ts";
import type {
  EndedTask,
  ListedTask,
  StoredTask,
  TaskEnding,
  TaskState,
  TaskStore,
  TaskSubmission,
  Wants,
} from "../../contracts/store.ts";
import type { Transactions } from "./transactions.ts";
import { fromJson, toJson } from "./json.ts";
import { grantOwn } from "./leases.ts";
import { deleteRecords, discardRecord, nextNumber } from "./record-changes.ts";
import { removeSecrets } from "./secrets.ts";

interface ListedRow extends Omit<ListedTask, "request" | "outcome"> {
  readonly request: string;
  readonly outcome: string;
}

interface Row extends ListedRow {
  readonly plan: string | null;
  readonly digest: string;
}

const LISTED = "id, type, request, state, actor, parent, key, timeoutMs, createdAt, finishedAt, outcome";
// Plans lie apart: a state is changed and a list is read without them.
const COLUMNS = `${LISTED}, digest, (SELECT plan FROM task_plans WHERE task = tasks.id) AS plan`;
const ENDED = "ended-tasks";
/** Nothing comes back to them; a task that needs attention waits for a person, however long. */
const OVER = "state IN ('succeeded', 'undone')";
/** The task of which it is a child goes on, and finds it by its id. */
const AWAITED = `EXISTS (SELECT 1 FROM tasks AS parent WHERE parent.id = tasks.parent AND NOT parent.${OVER})`;
const UNHELD = "NOT EXISTS (SELECT 1 FROM leases WHERE task = tasks.id)";
const ENDED_AT_ONCE = 100;
const BACKWARDS: readonly TaskState[] = ["cancelling", "undoing", "undone"];

export class SqliteTasks implements TaskStore {
  readonly #db: Transactions;

  constructor(db: Transactions) {
    this.#db = db;
  }

  async submit(task: TaskSubmission, wants?: Wants): Promise<StoredTask> {
    const digest = digestOf(task);
    return this.#db.write(() => {
      const before = this.#db.get<Row>(
        `SELECT ${COLUMNS} FROM tasks WHERE actor = ? AND key = ?`,
        task.actor,
        task.key,
      );
      if (before !== undefined) return sameOrRefused(before, digest);
      this.#insert(task, digest, wants ?? { subject: task.id, scopes: [] });
      return { ...task, parent: task.parent ?? null, state: "queued", finishedAt: null, outcome: null };
    });
  }

  async get(id: string): Promise<StoredTask | null> {
    const row = await this.#db.read(() => this.#db.get<Row>(`SELECT ${COLUMNS} FROM tasks WHERE id = ?`, id));
    return row === undefined ? null : parse(row);
  }

  async state(id: string): Promise<TaskState | null> {
    const sql = "SELECT state FROM tasks WHERE id = ?";
    return (await this.#db.read(() => this.#db.get<Pick<Row, "state">>(sql, id)))?.state ?? null;
  }

  async position(id: string): Promise<number | null> {
    const sql = `SELECT count(*) AS place FROM tasks AS one JOIN tasks AS before ON before.state = 'queued' AND before.seq <= one.seq
      WHERE one.id = ? AND one.state = 'queued'`;
    return (await this.#db.read(() => this.#db.get<{ place: number }>(sql, id)))?.place || null;
  }

  async list(filter: Parameters<TaskStore["list"]>[0] = {}): Promise<readonly ListedTask[]> {
    const [only, ...others] = filter.states ?? [];
    // Of one state the index has the order: the first few of many cost a few.
    const single = only !== undefined && others.length === 0;
    const states = filter.states === undefined ? null : single ? only : JSON.stringify(filter.states);
    const where = states === null ? "?1 IS NULL" : single ? "state = ?1" : "state IN (SELECT value FROM json_each(?1))";
    const [beyond, order] = filter.newest === true ? ["<", "DESC"] : [">", "ASC"];
    const after = filter.after === undefined ? "?3 IS NULL" : `seq ${beyond} (SELECT seq FROM tasks WHERE id = ?3)`;
    const child = filter.parent === undefined ? "?4 IS NULL" : "parent = ?4";
    const sql = `SELECT ${LISTED} FROM tasks WHERE ${where} AND ${after} AND ${child} ORDER BY seq ${order} LIMIT ?2`;
    const values = [states, filter.limit ?? -1, filter.after ?? null, filter.parent ?? null] as const;
    return (await this.#db.read(() => this.#db.all<ListedRow>(sql, ...values))).map(parseListed);
  }

  async unfinished(): Promise<readonly Pick<StoredTask, "id" | "state">[]> {
    const sql = "SELECT id, state FROM tasks WHERE state IN ('running', 'cancelling', 'undoing') ORDER BY seq";
    return (await this.#db.read(() => this.#db.all<Pick<Row, "id" | "state">>(sql))).map((row) => ({ ...row }));
  }

  async move(
    id: string,
    from: readonly TaskState[],
    to: TaskState,
    change: Partial<Pick<StoredTask, "plan" | "outcome">> = {},
  ): Promise<boolean> {
    return this.#db.write(() => {
      const moved = this.#move(id, from, to, change);
      if (moved && "plan" in change) this.#putPlan(id, change.plan);
      return moved;
    });
  }

  async end(id: string, from: readonly TaskState[], end: TaskEnding): Promise<boolean> {
    const { state, outcome, finishedAt, deleteRecords: removals, discards, eraseSecrets, closer } = end;
    return this.#db.write(() => {
      if (!this.#move(id, from, state, { outcome })) return false;
      const sql = "UPDATE tasks SET finishedAt = ?, ended = ?, waits = NULL WHERE id = ?";
      this.#db.run(sql, finishedAt, nextEnd(this.#db), id);
      deleteRecords(this.#db, removals);
      for (const discard of discards) discardRecord(this.#db, discard);
      for (const prefix of eraseSecrets) removeSecrets(this.#db, prefix);
      if (closer !== undefined) grantOwn(this.#db, id, closer);
      if (state !== "needs-attention")
        this.#db.run("UPDATE journal SET undo = NULL WHERE task = ? AND undo IS NOT NULL", id);
      return true;
    });
  }

  #move(id: string, from: readonly TaskState[], to: TaskState, change: { readonly outcome?: unknown }): boolean {
    const { changes } = this.#db.run(
      `UPDATE tasks SET state = ?3, outcome = coalesce(?4, outcome)
       WHERE id = ?1 AND state IN (SELECT value FROM json_each(?2))
         AND NOT (?5 AND EXISTS (SELECT 1 FROM commits WHERE task = ?1))`,
      id,
      JSON.stringify(from),
      to,
      // The outcome may carry a Secret for the caller at hand (a login link): only its placeholder is kept.
      "outcome" in change ? JSON.stringify(change.outcome ?? null) : null,
      Number(BACKWARDS.includes(to)),
    );
    return changes === 1;
  }

  async ended(after: number, limit: number = ENDED_AT_ONCE): Promise<readonly EndedTask[]> {
    const sql = `SELECT ${LISTED}, ended FROM tasks WHERE ended > ? ORDER BY ended LIMIT ?`;
    const rows = await this.#db.read(() => this.#db.all<ListedRow & { ended: number }>(sql, after, limit));
    return rows.map((row) => ({ ...parseListed(row), ended: row.ended }));
  }

  async lastEnded(): Promise<number> {
    const sql = "SELECT value FROM counters WHERE name = ?";
    return (await this.#db.read(() => this.#db.get<{ value: number }>(sql, ENDED)))?.value ?? 0;
  }

  async endedBefore(time: string, limit: number, among?: readonly string[]): Promise<readonly string[]> {
    // Which of them may go is asked without names; by name, what of theirs is over, whoever still reads their ends.
    const named =
      among === undefined ? `?3 IS NULL AND ${UNHELD} AND NOT ${AWAITED}` : "id IN (SELECT value FROM json_each(?3))";
    const sql = `SELECT id FROM tasks WHERE finishedAt < ?1 AND ${OVER} AND ${named} ORDER BY finishedAt LIMIT ?2`;
    const ids = among === undefined ? null : JSON.stringify(among);
    return (await this.#db.read(() => this.#db.all<Pick<Row, "id">>(sql, time, limit, ids))).map(({ id }) => id);
  }

  async remove(ids: readonly string[]): Promise<number> {
    return this.#db.write(() => ids.filter((id) => this.#remove(id)).length);
  }

  #remove(id: string): boolean {
    const { changes } = this.#db.run(`DELETE FROM tasks WHERE id = ? AND ${OVER} AND ${UNHELD} AND NOT ${AWAITED}`, id);
    if (changes === 0) return false;
    for (const table of ["task_plans", "journal", "commits"]) this.#db.run(`DELETE FROM ${table} WHERE task = ?`, id);
    removeSecrets(this.#db, `task/${id}/`);
    return true;
  }

  #insert(task: TaskSubmission, digest: string, { subject, scopes }: Wants): void {
    const { changes } = this.#db.run(
      `INSERT INTO tasks (${LISTED}, digest, subject, waits)
       VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, NULL, 'null', ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      task.id,
      task.type,
      toJson(task.request),
      task.actor,
      task.parent ?? null,
      task.key,
      task.timeoutMs,
      task.createdAt,
      digest,
      subject,
      JSON.stringify(scopes),
    );
    if (changes === 0)
      throw new HostwrightError("HW_TASK_STATE", `A task ${task.id} exists already; it was left as it is.`);
    this.#putPlan(task.id, task.plan);
  }

  #putPlan(task: string, plan: unknown): void {
    if ((plan ?? null) === null) this.#db.run("DELETE FROM task_plans WHERE task = ?", task);
    else this.#db.run("INSERT OR REPLACE INTO task_plans (task, plan) VALUES (?, ?)", task, toJson(plan));
  }
}

/** Inside a transaction that ends a task: its place among those that ended. */
export function nextEnd(db: Transactions): number {
  return nextNumber(db, ENDED, 1);
}

// Taken when it is submitted: the stored plan changes later.
function digestOf({ type, request, plan }: TaskSubmission): string {
  return createHash("sha256")
    .update(canonicalJson([type, request ?? null, plan ?? null]))
    .digest("base64url");
}

function sameOrRefused(row: Row, digest: string): StoredTask {
  if (row.digest === digest) return parse(row);
  throw new HostwrightError(
    "HW_KEY_REUSED",
    `The key ${row.key} belongs to task ${row.id} (${row.type}). Nothing was submitted.`,
    {
      data: { key: row.key, task: row.id },
    },
  );
}

function parse(row: Row): StoredTask {
  return { ...parseListed(row), plan: fromJson(row.plan ?? "null") };
}

function parseListed(row: ListedRow): ListedTask {
  const { id, type, state, actor, parent, key, timeoutMs, createdAt, finishedAt } = row;
  const [request, outcome] = [row.request, row.outcome].map(fromJson);
  return { id, type, request, state, actor, parent, key, timeoutMs, createdAt, finishedAt, outcome };
}
