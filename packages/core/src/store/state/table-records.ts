import type {
  PutOptions,
  RecordKind,
  RecordQuery,
  RecordStore,
  RegisteredResource,
  StoredRecord,
} from "../../contracts/store.ts";
import type { Tables } from "../../contracts/store/tables.ts";
import { fromJson } from "../json.ts";
import { byText } from "../order.ts";
import { RECORDS, RETURNED_NUMBERS, type RecordRow } from "../tables/records.ts";
import { nextNumber } from "./counters.ts";
import { forgetRecord } from "./forget.ts";
import { discardRecord, holderOf, putRecords } from "./record-changes.ts";
import { differentUses, usersOf } from "./record-uses.ts";

export class TableRecords implements RecordStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async get(kind: RecordKind, idOrName: string): Promise<StoredRecord | null> {
    const row = await this.#tables.read(async (rows) => {
      const [known] = await rows.get(RECORDS, [{ kind, id: idOrName }]);
      if (known !== undefined) return known;
      const id = await holderOf(rows, kind, idOrName);
      return id === null ? undefined : (await rows.get(RECORDS, [{ kind, id }]))[0];
    });
    return row === undefined ? null : parse(row);
  }

  async list(
    kind: RecordKind,
    { after = "", limit }: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<readonly StoredRecord[]> {
    const page = { by: "name", of: [{ kind }], after: { name: after }, ...(limit === undefined ? {} : { limit }) };
    return (await this.#tables.read(async (rows) => rows.list(RECORDS, page))).map(parse);
  }

  async referring(kind: RecordKind, query: RecordQuery): Promise<readonly StoredRecord[]> {
    const found = await this.#tables.read(async (rows) => {
      const keys = (await usersOf(rows, kind, query)).map((id) => ({ kind, id }));
      return rows.get(RECORDS, keys);
    });
    return found
      .filter((row) => row !== undefined)
      .toSorted((a, b) => byText(a.name, b.name))
      .map(parse);
  }

  async different(kind: RecordKind, field: "platform" | "http", query: RecordQuery): Promise<readonly string[]> {
    return this.#tables.read(async (rows) => differentUses(rows, kind, field, query));
  }

  async put(record: Omit<StoredRecord, "version">, options: PutOptions): Promise<StoredRecord> {
    await this.#tables.transact(async (rows) => putRecords(rows, [{ ...record, ...options }]));
    return { ...record, version: options.expect + 1 };
  }

  async forget(kind: RecordKind, id: string, expect: number): Promise<readonly RegisteredResource[]> {
    return this.#tables.transact(async (rows) => forgetRecord(rows, { kind, id, expect }));
  }

  async claimedBy(kind: RecordKind, name: string): Promise<string | null> {
    return this.#tables.read(async (rows) => holderOf(rows, kind, name));
  }

  async nextNumber(counter: string, from: number): Promise<number> {
    return this.#tables.transact(async (rows) => {
      const beyond = { of: [{ counter }], after: { value: from - 1 }, limit: 1 };
      const [returned] = await rows.list(RETURNED_NUMBERS, beyond);
      if (returned === undefined) return nextNumber(rows, counter, from);
      await rows.remove(RETURNED_NUMBERS, [returned]);
      return returned.value;
    });
  }

  async discard(
    kind: RecordKind,
    id: string,
    number: { readonly counter: string; readonly value: number },
  ): Promise<boolean> {
    return this.#tables.transact(async (rows) => discardRecord(rows, { kind, id, number }));
  }
}

function parse(row: RecordRow): StoredRecord {
  return { ...row, value: fromJson(row.value) };
}
