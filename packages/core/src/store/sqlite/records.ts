import type {
  PutOptions,
  RecordKind,
  RecordQuery,
  RecordReference,
  RecordStore,
  RegisteredResource,
  StoredRecord,
} from "../../contracts/store.ts";
import { forgetRecord } from "./forget.ts";
import type { Transactions } from "./transactions.ts";
import { fromJson } from "./json.ts";
import { discardRecord, holderOf, nextNumber, putRecords } from "./record-changes.ts";

interface Row extends Omit<StoredRecord, "value"> {
  readonly value: string;
}

const COLUMNS = "kind, id, name, version, value";

const IDS = "(SELECT ids.value FROM json_each(?2) AS ids)";
const STATUS = "value ->> '$.status' IN (SELECT states.value FROM json_each(?3) AS states)";

function usedBy(among: string): string {
  return `(SELECT DISTINCT id AS used FROM uses WHERE ${among} AND +kind = ?1) CROSS JOIN records ON kind = ?1 AND id = used WHERE ${STATUS}`;
}

/** Rows of records, each once. Without statistics SQLite would search by the kind alone. */
const AMONG: Readonly<Record<RecordReference, string>> = {
  platform: `records INDEXED BY records_platform WHERE kind = ?1 AND value ->> '$.platform' IN ${IDS} AND ${STATUS}`,
  server: usedBy(`server IN ${IDS}`),
  service: usedBy(
    `(server, service) IN (SELECT substr(value, 1, instr(value, '/') - 1), substr(value, instr(value, '/') + 1) FROM json_each(?2))`,
  ),
};

const FIELDS = { platform: "$.platform", http: "$.bindings.http.service" } as const;

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
    const sql = `SELECT ${COLUMNS} FROM ${AMONG[by]} ORDER BY name`;
    return (await this.#db.read(() => this.#db.all<Row>(sql, kind, JSON.stringify(ids), JSON.stringify(status)))).map(
      parse,
    );
  }

  async different(
    kind: RecordKind,
    field: "platform" | "http",
    { by, ids, status }: RecordQuery,
  ): Promise<readonly string[]> {
    const sql = `SELECT DISTINCT value ->> '${FIELDS[field]}' AS found FROM ${AMONG[by]} ORDER BY found`;
    const values = [kind, JSON.stringify(ids), JSON.stringify(status)];
    return (await this.#db.read(() => this.#db.all<{ found: string }>(sql, ...values))).map(({ found }) => found);
  }

  async put(record: Omit<StoredRecord, "version">, options: PutOptions): Promise<StoredRecord> {
    await this.#db.write(() => putRecords(this.#db, [{ ...record, ...options }]));
    return { ...record, version: options.expect + 1 };
  }

  async forget(kind: RecordKind, id: string, expect: number): Promise<readonly RegisteredResource[]> {
    return this.#db.write(() => forgetRecord(this.#db, { kind, id, expect }));
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

function parse(row: Row): StoredRecord {
  return { ...row, value: fromJson(row.value) };
}
