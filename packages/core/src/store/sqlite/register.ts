import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { RegisterChanges, RegisteredResource, RegisterStore, ResourceHold } from "../../contracts/store.ts";
import type { Transactions } from "./transactions.ts";

interface Row extends Omit<RegisteredResource, "shared"> {
  readonly shared: number;
}

const COLUMNS = "server, type, key, owner, shared, hash";
// One step of the index for each server, however much it has.
const SERVERS = `WITH RECURSIVE servers (server) AS (
    SELECT min(server) FROM register
    UNION ALL
    SELECT (SELECT min(server) FROM register WHERE server > servers.server) FROM servers WHERE servers.server IS NOT NULL
  ) SELECT server FROM servers WHERE server IS NOT NULL`;
const OTHER_OWNER =
  "SELECT owner FROM register WHERE server = ?1 AND type = ?2 AND key = ?3 AND owner <> ?4 AND NOT (shared AND ?5)";

function parse({ server, type, key, owner, shared, hash }: Row): RegisteredResource {
  return { server, type, key, owner, shared: shared === 1, hash };
}

export class SqliteRegister implements RegisterStore {
  readonly #db: Transactions;

  constructor(db: Transactions) {
    this.#db = db;
  }

  async servers(): Promise<readonly string[]> {
    return (await this.#db.read(() => this.#db.all<{ server: string }>(SERVERS))).map(({ server }) => server);
  }

  async onServer(server: string): Promise<readonly RegisteredResource[]> {
    return this.#db.read(() => registeredOn(this.#db, server));
  }

  async orphans(server: string): Promise<readonly string[]> {
    const sql = `SELECT DISTINCT owner FROM register WHERE server = ? AND NOT EXISTS (
        SELECT 1 FROM records WHERE kind = substr(owner, 1, instr(owner, '/') - 1) AND id = substr(owner, instr(owner, '/') + 1)
      ) ORDER BY owner`;
    return (await this.#db.read(() => this.#db.all<Pick<Row, "owner">>(sql, server))).map(({ owner }) => owner);
  }

  async about(
    server: string,
    owners: readonly string[],
    addresses: readonly Pick<ResourceHold, "type" | "key">[],
  ): Promise<readonly RegisteredResource[]> {
    // CROSS JOIN keeps the order of the tables: few are looked for among the many of the server.
    const sql = `WITH wanted (type, key) AS (
        SELECT own.type, own.key FROM json_each(?2) AS owners CROSS JOIN register AS own
          WHERE own.owner = owners.value AND own.server = ?1
        UNION SELECT value ->> 0, value ->> 1 FROM json_each(?3)
      )
      SELECT ${COLUMNS} FROM wanted CROSS JOIN register USING (type, key) WHERE server = ?1 ORDER BY type, key, owner`;
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

export function registeredOn(db: Transactions, server: string): readonly RegisteredResource[] {
  return db.all<Row>(`SELECT ${COLUMNS} FROM register WHERE server = ? ORDER BY type, key, owner`, server).map(parse);
}

/** Inside a transaction. */
export function changeRegister(db: Transactions, { put, remove }: RegisterChanges): void {
  removeResources(db, remove);
  putResources(db, put);
}

function putResources(db: Transactions, resources: readonly RegisteredResource[]): void {
  for (const { server, type, key, owner, shared, hash } of resources) {
    const address = [server, type, key, owner, Number(shared)] as const;
    const { changes } = db.run(
      `INSERT INTO register (${COLUMNS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (${OTHER_OWNER})
       ON CONFLICT DO UPDATE SET shared = excluded.shared, hash = excluded.hash`,
      ...address,
      hash,
    );
    if (changes === 1) continue;
    const holder = db.get<{ owner: string }>(`${OTHER_OWNER} LIMIT 1`, ...address)?.owner;
    throw new HostwrightError(
      "HW_RESOURCE_CONFLICT",
      `${owner} declares the ${type} ${key} on server ${server}, which ${holder} holds. Nothing was registered.`,
      { server, data: { type, key, owner, holder } },
    );
  }
}

function removeResources(db: Transactions, resources: readonly ResourceHold[]): void {
  for (const { server, type, key, owner } of resources) {
    db.run("DELETE FROM register WHERE server = ? AND type = ? AND key = ? AND owner = ?", server, type, key, owner);
  }
}
