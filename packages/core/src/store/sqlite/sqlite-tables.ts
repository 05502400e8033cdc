import type { AnyRows, ReadRows, Rows, Tables } from "../../contracts/store/tables.ts";
import type { Database } from "./database.ts";
import { SqliteRows } from "./sqlite-rows.ts";

/** The tables of a SQLite file. */
export class SqliteTables implements Tables {
  readonly #db: Database;
  readonly #rows: Rows;

  constructor(db: Database) {
    this.#db = db;
    this.#rows = new SqliteRows(db) as AnyRows as Rows;
  }

  async read<T>(work: (rows: ReadRows) => Promise<T>): Promise<T> {
    return this.#db.snapshot(async () => work(this.#rows));
  }

  async transact<T>(work: (rows: Rows) => Promise<T>, waitMs?: number): Promise<T> {
    return this.#db.write(async () => work(this.#rows), waitMs);
  }

  async changed(): Promise<string> {
    return this.#db.read(() => {
      const others = this.#db.get<{ data_version: number }>("PRAGMA data_version")?.data_version;
      const own = this.#db.get<{ changes: number }>("SELECT total_changes() AS changes")?.changes;
      return `${others} ${own}`;
    });
  }
}
