import type { PlanStore, StoredPlan } from "../../contracts/store.ts";
import { fromJson, toJson } from "./json.ts";
import type { Transactions } from "./transactions.ts";

interface Row extends Omit<StoredPlan, "request"> {
  readonly request: string;
}

const MAY_GO = `NOT EXISTS
  (SELECT 1 FROM tasks WHERE tasks.id = task AND state NOT IN ('succeeded', 'undone'))`;
const COLUMNS = "id, task, request, title, hash, sealed, expiresAt";

export class SqlitePlans implements PlanStore {
  readonly #db: Transactions;

  constructor(db: Transactions) {
    this.#db = db;
  }

  async put({ id, task, request, title, hash, sealed, expiresAt }: StoredPlan): Promise<void> {
    const sql = `INSERT OR REPLACE INTO plans (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`;
    await this.#db.write(() => this.#db.run(sql, id, task, toJson(request), title, hash, sealed, expiresAt));
  }

  async get(id: string): Promise<StoredPlan | null> {
    const row = await this.#db.read(() => this.#db.get<Row>(`SELECT ${COLUMNS} FROM plans WHERE id = ?`, id));
    return row === undefined ? null : { ...row, request: fromJson(row.request) };
  }

  async expired(time: string, limit: number = -1): Promise<readonly Pick<StoredPlan, "id" | "task">[]> {
    const sql = `SELECT id, task FROM plans WHERE expiresAt < ? AND ${MAY_GO} ORDER BY id LIMIT ?`;
    return this.#named(sql, time, limit);
  }

  async surplus(keep: number, limit: number): Promise<readonly Pick<StoredPlan, "id" | "task">[]> {
    const sql = `SELECT id, task FROM
      (SELECT id, task, expiresAt FROM plans ORDER BY expiresAt DESC, id DESC LIMIT -1 OFFSET ?)
      WHERE ${MAY_GO} ORDER BY expiresAt, id LIMIT ?`;
    return this.#named(sql, keep, limit);
  }

  async remove(ids: readonly string[]): Promise<void> {
    const sql = "DELETE FROM plans WHERE id IN (SELECT value FROM json_each(?))";
    await this.#db.write(() => this.#db.run(sql, JSON.stringify(ids)));
  }

  async #named(
    sql: string,
    ...values: readonly (string | number)[]
  ): Promise<readonly Pick<StoredPlan, "id" | "task">[]> {
    const rows = await this.#db.read(() => this.#db.all<Pick<Row, "id" | "task">>(sql, ...values));
    return rows.map((row) => ({ ...row }));
  }
}
