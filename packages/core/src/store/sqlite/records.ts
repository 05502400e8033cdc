import type { ErrorCode } from "../../errors/codes.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type {
  RecordChange,
  RecordDiscard,
  RecordKind,
  RecordQuery,
  RecordReference,
  RecordRemoval,
  RecordStore,
  StoredRecord,
} from "../../contracts/store.ts";
import type { Transactions } from "./transactions.ts";
import { fromJson, toJson } from "./json.ts";

interface Row extends Omit<StoredRecord, "value"> {
  readonly value: string;
}

const COLUMNS = "kind, id, name, version, value";

/** Paths in a record's value, as the indices have them. */
const PATHS: Readonly<Record<RecordReference, string>> = {
  platform: "$.platform",
  database: "$.database.server",
  cache: "$.bindings.cache.server",
};

function among(by: RecordReference): string {
  // Without statistics SQLite would search by the kind alone.
  return `INDEXED BY records_${by} WHERE kind = ?1 AND value ->> '${PATHS[by]}' IN (SELECT ids.value FROM json_each(?2) AS ids) AND value ->> '$.status' IN (SELECT states.value FROM json_each(?3) AS states)`;
}

export class SqliteRecords implements RecordStore {
  readonly #db: Transactions;

  constructor(db: Transactions) {
    this.#db = db;
  }

  async get(kind: RecordKind, idOrName: string): Promise<StoredRecord | null> {
    const row = await this.#db.read(() =>
      this.#db.get<Row>(
        `SELECT ${COLUMNS} FROM records WHERE kind = ?1 AND id = ?2 UNION ALL
         SELECT ${COLUMNS} FROM records
           WHERE kind = ?1 AND id = (SELECT id FROM claims WHERE kind = ?1 AND name = ?2) LIMIT 1`,
        kind,
        idOrName,
      ),
    );
    return row === undefined ? null : parse(row);
  }

  async list(
    kind: RecordKind,
    { after = "", limit = -1 }: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<readonly StoredRecord[]> {
    const sql = `SELECT ${COLUMNS} FROM records WHERE kind = ? AND name > ? ORDER BY name LIMIT ?`;
    return (await this.#db.read(() => this.#db.all<Row>(sql, kind, after, limit))).map(parse);
  }

  async referring(kind: RecordKind, { by, ids, status }: RecordQuery): Promise<readonly StoredRecord[]> {
    const sql = `SELECT ${COLUMNS} FROM records ${among(by)} ORDER BY name`;
    return (await this.#db.read(() => this.#db.all<Row>(sql, kind, JSON.stringify(ids), JSON.stringify(status)))).map(
      parse,
    );
  }

  async different(
    kind: RecordKind,
    field: "platform" | "http",
    { by, ids, status }: RecordQuery,
  ): Promise<readonly string[]> {
    const sql = `SELECT DISTINCT value ->> '$.${field}' AS found FROM records ${among(by)} ORDER BY found`;
    const values = [kind, JSON.stringify(ids), JSON.stringify(status)];
    return (await this.#db.read(() => this.#db.all<{ found: string }>(sql, ...values))).map(({ found }) => found);
  }

  async put(
    record: Omit<StoredRecord, "version">,
    options: { readonly expect: number; readonly claims: readonly string[] },
  ): Promise<StoredRecord> {
    await this.#db.write(() => putRecords(this.#db, [{ ...record, ...options }]));
    return { ...record, version: options.expect + 1 };
  }

  async delete(kind: RecordKind, id: string): Promise<void> {
    await this.#db.write(() => deleteRecords(this.#db, [{ kind, id }]));
  }

  async claimedBy(kind: RecordKind, name: string): Promise<string | null> {
    return this.#db.read(() => holderOf(this.#db, kind, name));
  }

  async nextNumber(counter: string, from: number): Promise<number> {
    const sql = `DELETE FROM returned_numbers WHERE counter = ?1 AND value =
      (SELECT min(value) FROM returned_numbers WHERE counter = ?1 AND value >= ?2) RETURNING value`;
    return this.#db.write(
      () => this.#db.get<{ value: number }>(sql, counter, from)?.value ?? nextNumber(this.#db, counter, from),
    );
  }

  async discard(
    kind: RecordKind,
    id: string,
    { counter, value }: { counter: string; value: number },
  ): Promise<boolean> {
    return this.#db.write(() => discardRecord(this.#db, { kind, id, number: { counter, value } }));
  }
}

/** Inside a transaction. All old claims are given up before any new one is made, so that names may be exchanged. */
export function putRecords(db: Transactions, changes: readonly RecordChange[]): void {
  for (const change of changes) {
    const { kind, id, name } = change;
    requireVersion(db, change, change.expect);
    db.run(
      `INSERT INTO records (${COLUMNS}) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET name = excluded.name, version = excluded.version, value = excluded.value`,
      kind,
      id,
      name,
      change.expect + 1,
      toJson(change.value),
    );
    db.run("DELETE FROM claims WHERE kind = ? AND id = ?", kind, id);
  }
  for (const change of changes) {
    for (const name of new Set([change.name, ...change.claims])) claim(db, change, name);
  }
}

/** Inside a transaction. */
export function deleteRecords(db: Transactions, removals: readonly RecordRemoval[]): void {
  for (const removal of removals) {
    if (removal.expect !== undefined) requireVersion(db, removal, removal.expect);
    db.run("DELETE FROM records WHERE kind = ? AND id = ?", removal.kind, removal.id);
    db.run("DELETE FROM claims WHERE kind = ? AND id = ?", removal.kind, removal.id);
  }
}

/** Inside a transaction. False when it is gone already. */
export function discardRecord(db: Transactions, { kind, id, number }: RecordDiscard): boolean {
  if (db.get("SELECT 1 FROM records WHERE kind = ? AND id = ?", kind, id) === undefined) return false;
  deleteRecords(db, [{ kind, id }]);
  const sql = "INSERT INTO returned_numbers (counter, value) VALUES (?, ?) ON CONFLICT DO NOTHING";
  db.run(sql, number.counter, number.value);
  return true;
}

/** Inside a transaction: the next number of a counter, which begins at `from`. */
export function nextNumber(db: Transactions, counter: string, from: number): number {
  const row = db.get<{ value: number }>(
    `INSERT INTO counters (name, value) VALUES (?1, ?2)
     ON CONFLICT DO UPDATE SET value = max(value + 1, ?2) RETURNING value`,
    counter,
    from,
  );
  if (row === undefined) throw new HostwrightError("HW_INTERNAL", `Counter ${counter} gave no number.`);
  return row.value;
}

/** Names of sites are domains; those of all other records are not. */
export function nameTakenCode(kind: RecordKind): ErrorCode {
  return kind === "site" ? "HW_DOMAIN_TAKEN" : "HW_RECORD_TAKEN";
}

function claim(db: Transactions, { kind, id }: RecordChange, name: string): void {
  const { changes } = db.run(
    "INSERT INTO claims (kind, name, id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    kind,
    name,
    id,
  );
  if (changes === 1) return;
  const holder = holderOf(db, kind, name);
  throw new HostwrightError(
    nameTakenCode(kind),
    `The ${kind} ${id} cannot have the name ${name}: ${kind} ${holder} has it.`,
    { data: { kind, name, holder } },
  );
}

function holderOf(db: Transactions, kind: RecordKind, name: string): string | null {
  return db.get<{ id: string }>("SELECT id FROM claims WHERE kind = ? AND name = ?", kind, name)?.id ?? null;
}

/** Inside a transaction. @throws HW_TASK_STATE */
export function requireVersion(db: Transactions, { kind, id }: { kind: RecordKind; id: string }, expect: number): void {
  const row = db.get<{ version: number }>("SELECT version FROM records WHERE kind = ? AND id = ?", kind, id);
  const version = row?.version ?? 0;
  if (version === expect) return;
  const now = version === 0 ? "does not exist" : `is at version ${version}`;
  throw new HostwrightError(
    "HW_TASK_STATE",
    `The ${kind} ${id} ${now}, not at version ${expect}; it was left as it is.`,
    {
      mend: "Read the record again and repeat the change on what it is now.",
      data: { kind, id, version, expect },
    },
  );
}

function parse(row: Row): StoredRecord {
  return { ...row, value: fromJson(row.value) };
}
