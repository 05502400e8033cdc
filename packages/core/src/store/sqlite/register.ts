import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { RegisteredResource, RegisterStore, ResourceHold } from "../../contracts/store.ts";
import type { Database } from "./database.ts";

interface Row extends Omit<RegisteredResource, "shared"> {
  readonly shared: number;
}

const COLUMNS = "server, type, key, owner, shared, hash";

function parse({ server, type, key, owner, shared, hash }: Row): RegisteredResource {
  return { server, type, key, owner, shared: shared === 1, hash };
}

export class SqliteRegister implements RegisterStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async onServer(server: string): Promise<readonly RegisteredResource[]> {
    const sql = `SELECT ${COLUMNS} FROM register WHERE server = ? ORDER BY type, key, owner`;
    return (await this.#db.read(() => this.#db.all<Row>(sql, server))).map(parse);
  }

  async about(
    server: string,
    owners: readonly string[],
    addresses: readonly Pick<ResourceHold, "type" | "key">[],
  ): Promise<readonly RegisteredResource[]> {
    const sql = `SELECT ${COLUMNS} FROM register WHERE server = ?1 AND (type, key) IN (
        SELECT type, key FROM register WHERE server = ?1 AND owner IN (SELECT value FROM json_each(?2))
        UNION SELECT value ->> 0, value ->> 1 FROM json_each(?3)
      ) ORDER BY type, key, owner`;
    const pairs = JSON.stringify(addresses.map(({ type, key }) => [type, key]));
    return (await this.#db.read(() => this.#db.all<Row>(sql, server, JSON.stringify(owners), pairs))).map(parse);
  }

  async put(resources: readonly RegisteredResource[]): Promise<void> {
    if (resources.length > 0) await this.#db.write(() => putResources(this.#db, resources));
  }

  async remove(resources: readonly ResourceHold[]): Promise<void> {
    if (resources.length > 0) await this.#db.write(() => removeResources(this.#db, resources));
  }
}

/** Inside a transaction. */
export function putResources(db: Database, resources: readonly RegisteredResource[]): void {
  for (const { server, type, key, owner, shared, hash } of resources) {
    const other = db.get<{ owner: string }>(
      "SELECT owner FROM register WHERE server = ? AND type = ? AND key = ? AND owner <> ? AND NOT (shared AND ?) LIMIT 1",
      server,
      type,
      key,
      owner,
      Number(shared),
    );
    if (other !== undefined) {
      throw new HostwrightError(
        "HW_RESOURCE_CONFLICT",
        `${owner} declares the ${type} ${key} on server ${server}, which ${other.owner} holds. Nothing was registered.`,
        { server, data: { type, key, owner, holder: other.owner } },
      );
    }
    db.run(
      `INSERT INTO register (server, type, key, owner, shared, hash) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET shared = excluded.shared, hash = excluded.hash`,
      server,
      type,
      key,
      owner,
      Number(shared),
      hash,
    );
  }
}

/** Inside a transaction. */
export function removeResources(db: Database, resources: readonly ResourceHold[]): void {
  for (const { server, type, key, owner } of resources) {
    db.run("DELETE FROM register WHERE server = ? AND type = ? AND key = ? AND owner = ?", server, type, key, owner);
  }
}
