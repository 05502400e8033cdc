import type { RecordKind, RecordReference } from "../../contracts/store.ts";
import type { TableDefinition } from "../../contracts/store/tables.ts";

export interface RecordRow {
  readonly kind: RecordKind;
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly value: string;
}

export const RECORDS: TableDefinition<RecordRow, "kind" | "id"> = {
  name: "records",
  columns: { kind: "text", id: "text", name: "text", version: "integer", value: "json" },
  key: ["kind", "id"],
  lists: { name: { columns: ["kind", "name"] } },
};

/** A name that a record has alone in its kind. */
export interface ClaimRow {
  readonly kind: RecordKind;
  readonly name: string;
  readonly id: string;
}

export const CLAIMS: TableDefinition<ClaimRow, "kind" | "name"> = {
  name: "claims",
  columns: { kind: "text", name: "text", id: "text" },
  key: ["kind", "name"],
  lists: { id: { columns: ["kind", "id", "name"] } },
};

/** That a record refers to something: see `RecordReference`. What is asked of it, without the record, is beside it. */
export interface UseRow {
  readonly field: RecordReference;
  readonly target: string;
  readonly kind: RecordKind;
  readonly status: string;
  readonly platform: string;
  readonly http: string;
  readonly id: string;
}

export const USES: TableDefinition<UseRow, keyof UseRow> = {
  name: "uses",
  columns: { field: "text", target: "text", kind: "text", status: "text", platform: "text", http: "text", id: "text" },
  key: ["field", "target", "kind", "status", "platform", "http", "id"],
  lists: { id: { columns: ["kind", "id", "field", "target", "status", "platform", "http"] } },
};

/** A number that was given back, to be drawn again. */
export interface ReturnedNumberRow {
  readonly counter: string;
  readonly value: number;
}

export const RETURNED_NUMBERS: TableDefinition<ReturnedNumberRow, "counter" | "value"> = {
  name: "returned_numbers",
  columns: { counter: "text", value: "integer" },
  key: ["counter", "value"],
  lists: {},
};
