import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { SecretStore } from "../../contracts/store.ts";
import type { Transactions } from "./transactions.ts";

interface Row {
  readonly id: string;
  readonly sealed: string;
}

const LAST_CHARACTER = "\u{10FFFF}";

export class SqliteSecrets implements SecretStore {
  readonly #db: Transactions;

  constructor(db: Transactions) {
    this.#db = db;
  }

  async get(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const sql = "SELECT id, sealed FROM secrets WHERE id IN (SELECT value FROM json_each(?))";
    const rows = await this.#db.read(() => this.#db.all<Row>(sql, JSON.stringify(ids)));
    return new Map(rows.map((row) => [row.id, row.sealed]));
  }

  async add(id: string, sealed: string): Promise<string> {
    return this.#db.write(() => {
      this.#db.run("INSERT INTO secrets (id, sealed) VALUES (?, ?) ON CONFLICT DO NOTHING", id, sealed);
      const row = this.#db.get<Row>("SELECT id, sealed FROM secrets WHERE id = ?", id);
      if (row === undefined) throw new HostwrightError("HW_INTERNAL", `The secret ${id} was stored but is not there.`);
      return row.sealed;
    });
  }

  async replace(id: string, sealed: string): Promise<void> {
    const sql = "INSERT INTO secrets (id, sealed) VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed";
    await this.#db.write(() => this.#db.run(sql, id, sealed));
  }

  async removePrefix(prefix: string): Promise<void> {
    await this.#db.write(() => removeSecrets(this.#db, prefix));
  }

  async list(
    prefix: string,
    { after = "", limit }: { readonly after?: string; readonly limit: number },
  ): Promise<readonly { readonly id: string; readonly sealed: string }[]> {
    const sql = "SELECT id, sealed FROM secrets WHERE id >= ? AND id < ? AND id > ? ORDER BY id LIMIT ?";
    const rows = await this.#db.read(() => this.#db.all<Row>(sql, prefix, prefix + LAST_CHARACTER, after, limit));
    return rows.map((row) => ({ ...row }));
  }
}

/** Inside a transaction: all whose id begins with the prefix. */
export function removeSecrets(db: Transactions, prefix: string): void {
  db.run("DELETE FROM secrets WHERE id >= ? AND id < ?", prefix, prefix + LAST_CHARACTER);
}
