import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { RecordVersion, SealedSecret, SecretStore } from "../../contracts/store.ts";
import { requireVersion } from "./versions.ts";
import type { Transactions } from "./transactions.ts";

const LAST_CHARACTER = "\u{10FFFF}";
/** `<kind>/<id>` of each secret; those of tasks have an upkeep of their own. */
const ORPHANS = `WITH parts AS (SELECT substr(id, 1, instr(id, '/') - 1) AS kind, substr(id, instr(id, '/') + 1) AS rest FROM secrets),
  owners AS (SELECT DISTINCT kind, substr(rest, 1, instr(rest, '/') - 1) AS id FROM parts WHERE kind IN ('server', 'platform', 'site'))
  SELECT kind || '/' || id AS owner FROM owners
    WHERE NOT EXISTS (SELECT 1 FROM records WHERE records.kind = owners.kind AND records.id = owners.id)
      AND NOT EXISTS (SELECT 1 FROM leases WHERE scope = owners.kind || '/' || owners.id)
    ORDER BY owner LIMIT ?`;

export class SqliteSecrets implements SecretStore {
  readonly #db: Transactions;

  constructor(db: Transactions) {
    this.#db = db;
  }

  async get(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const sql = "SELECT id, sealed FROM secrets WHERE id IN (SELECT value FROM json_each(?))";
    const rows = await this.#db.read(() => this.#db.all<SealedSecret>(sql, JSON.stringify(ids)));
    return new Map(rows.map((row) => [row.id, row.sealed]));
  }

  async add(id: string, sealed: string): Promise<string> {
    return this.#db.write(() => {
      this.#db.run("INSERT INTO secrets (id, sealed) VALUES (?, ?) ON CONFLICT DO NOTHING", id, sealed);
      const row = this.#db.get<SealedSecret>("SELECT id, sealed FROM secrets WHERE id = ?", id);
      if (row === undefined) throw new HostwrightError("HW_INTERNAL", `The secret ${id} was stored but is not there.`);
      return row.sealed;
    });
  }

  async replace(id: string, sealed: string, of?: RecordVersion): Promise<void> {
    await this.#db.write(() => {
      if (of !== undefined) requireVersion(this.#db, of, of.version);
      putSecrets(this.#db, [{ id, sealed }]);
    });
  }

  async removePrefix(prefix: string): Promise<void> {
    await this.#db.write(() => removeSecrets(this.#db, prefix));
  }

  async list(
    prefix: string,
    { after = "", limit }: { readonly after?: string; readonly limit: number },
  ): Promise<readonly SealedSecret[]> {
    const sql = "SELECT id, sealed FROM secrets WHERE id >= ? AND id < ? AND id > ? ORDER BY id LIMIT ?";
    const rows = await this.#db.read(() =>
      this.#db.all<SealedSecret>(sql, prefix, prefix + LAST_CHARACTER, after, limit),
    );
    return rows.map((row) => ({ ...row }));
  }

  async orphans(limit: number): Promise<readonly string[]> {
    return (await this.#db.read(() => this.#db.all<{ owner: string }>(ORPHANS, limit))).map(({ owner }) => owner);
  }
}

/** Inside a transaction. */
export function putSecrets(db: Transactions, secrets: readonly SealedSecret[]): void {
  const sql = "INSERT INTO secrets (id, sealed) VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed";
  for (const { id, sealed } of secrets) db.run(sql, id, sealed);
}

/** Inside a transaction: all whose id begins with the prefix. */
export function removeSecrets(db: Transactions, prefix: string): void {
  db.run("DELETE FROM secrets WHERE id >= ? AND id < ?", prefix, prefix + LAST_CHARACTER);
}
