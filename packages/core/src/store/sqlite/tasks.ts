import { createHash } from "node:crypto";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { canonicalJson } from "../../model/canonical.ts";
import type { EndedTask, StoredTask, TaskState, TaskStore } from "../../contracts/store.ts";
import type { Database } from "./database.ts";
import { requireLease } from "./journal.ts";
import { fromJson, toJson } from "./json.ts";
import { nextNumber } from "./records.ts";

interface Row extends Omit<StoredTask, "request" | "plan" | "outcome"> {
  readonly request: string;
  readonly plan: string;
  readonly outcome: string;
  readonly digest: string;
}

type Submission = Parameters<TaskStore["submit"]>[0];

const COLUMNS = "id, type, request, state, plan, actor, key, digest, timeoutMs, createdAt, finishedAt, outcome";
const ENDED = "ended-tasks";
const ENDED_AT_ONCE = 100;
const BACKWARDS: readonly TaskState[] = ["cancelling", "undoing", "undone"];

export class SqliteTasks implements TaskStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async submit(task: Submission): Promise<StoredTask> {
    const digest = digestOf(task);
    return this.#db.write(() => {
      const before = this.#db.get<Row>(
        `SELECT ${COLUMNS} FROM tasks WHERE actor = ? AND key = ?`,
        task.actor,
        task.key,
      );
      if (before !== undefined) return sameOrRefused(before, digest);
      this.#insert(task, digest);
      return { ...task, state: "queued", finishedAt: null, outcome: null };
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

  async list(
    filter: { readonly states?: readonly TaskState[]; readonly limit?: number } = {},
  ): Promise<readonly StoredTask[]> {
    const states = filter.states === undefined ? null : JSON.stringify(filter.states);
    const where = states === null ? "?1 IS NULL" : "state IN (SELECT value FROM json_each(?1))";
    const sql = `SELECT ${COLUMNS} FROM tasks WHERE ${where} ORDER BY seq LIMIT ?2`;
    return (await this.#db.read(() => this.#db.all<Row>(sql, states, filter.limit ?? -1))).map(parse);
  }

  async move(
    id: string,
    from: readonly TaskState[],
    to: TaskState,
    change: Partial<Pick<StoredTask, "plan" | "outcome" | "finishedAt">> = {},
    holder?: string,
  ): Promise<boolean> {
    return this.#db.write(() => {
      requireLease(this.#db, id, holder);
      const { changes } = this.#db.run(
        `UPDATE tasks SET state = ?3, plan = coalesce(?4, plan), outcome = coalesce(?5, outcome),
           finishedAt = iif(?6, ?7, finishedAt)
         WHERE id = ?1 AND state IN (SELECT value FROM json_each(?2))
           AND NOT (?8 AND EXISTS (SELECT 1 FROM commits WHERE task = ?1))`,
        id,
        JSON.stringify(from),
        to,
        "plan" in change ? toJson(change.plan) : null,
        // The outcome may carry a Secret for the caller at hand (a login link): only its placeholder is kept.
        "outcome" in change ? JSON.stringify(change.outcome ?? null) : null,
        Number("finishedAt" in change),
        change.finishedAt ?? null,
        Number(BACKWARDS.includes(to)),
      );
      if (changes === 1 && typeof change.finishedAt === "string") {
        this.#db.run("UPDATE tasks SET ended = ? WHERE id = ?", nextEnd(this.#db), id);
      }
      return changes === 1;
    });
  }

  async ended(after: number, limit: number = ENDED_AT_ONCE): Promise<readonly EndedTask[]> {
    const sql = `SELECT ${COLUMNS.replace("plan", "'null' AS plan")}, ended FROM tasks WHERE ended > ? ORDER BY ended LIMIT ?`;
    const rows = await this.#db.read(() => this.#db.all<Row & { ended: number }>(sql, after, limit));
    return rows.map((row) => {
      const { plan: _plan, ...task } = parse(row);
      return { ...task, ended: row.ended };
    });
  }

  async lastEnded(): Promise<number> {
    const sql = "SELECT value FROM counters WHERE name = ?";
    return (await this.#db.read(() => this.#db.get<{ value: number }>(sql, ENDED)))?.value ?? 0;
  }

  #insert(task: Submission, digest: string): void {
    const { changes } = this.#db.run(
      `INSERT INTO tasks (${COLUMNS}) VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, NULL, 'null') ON CONFLICT (id) DO NOTHING`,
      task.id,
      task.type,
      toJson(task.request),
      toJson(task.plan),
      task.actor,
      task.key,
      digest,
      task.timeoutMs,
      task.createdAt,
    );
    if (changes === 0)
      throw new HostwrightError("HW_TASK_STATE", `A task ${task.id} exists already; it was left as it is.`);
  }
}

/** Inside a transaction that ends a task: its place among those that ended. */
export function nextEnd(db: Database): number {
  return nextNumber(db, ENDED, 1);
}

// Taken when it is submitted: the stored plan changes later.
function digestOf({ type, request, plan }: Submission): string {
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
  const { id, type, state, actor, key, timeoutMs, createdAt, finishedAt } = row;
  const [request, plan, outcome] = [row.request, row.plan, row.outcome].map(fromJson);
  return { id, type, request, state, plan, actor, key, timeoutMs, createdAt, finishedAt, outcome };
}
