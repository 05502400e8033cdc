import type { BookmarkStore } from "../../contracts/store.ts";
import type { Database } from "./database.ts";
import { requireLease } from "./held-transactions.ts";
import { fromJson, toJson } from "./json.ts";

export class SqliteBookmarks implements BookmarkStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async get(name: string): Promise<unknown> {
    const sql = "SELECT value FROM bookmarks WHERE name = ?";
    const row = await this.#db.read(() => this.#db.get<{ value: string }>(sql, name));
    return row === undefined ? null : fromJson(row.value);
  }

  async put(name: string, value: unknown, holder?: string): Promise<void> {
    const sql = "INSERT OR REPLACE INTO bookmarks (name, value) VALUES (?, ?)";
    await this.#db.write(() => {
      if (holder !== undefined) requireLease(this.#db, name, holder);
      this.#db.run(sql, name, toJson(value));
    });
  }
}
