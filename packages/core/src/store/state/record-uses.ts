import type { RecordChange, RecordQuery, StoredRecord } from "../../contracts/store.ts";
import type { ReadRows } from "../../contracts/store/tables.ts";
import { USES, type UseRow } from "../tables/records.ts";

interface Referring {
  readonly status?: unknown;
  readonly platform?: unknown;
  /** Of a platform. */
  readonly server?: unknown;
  readonly bindings?: Readonly<Record<string, { readonly server?: unknown; readonly service?: unknown } | null>>;
  /** Of a server: a cluster has members. */
  readonly connect?: { readonly members?: readonly { readonly server?: unknown }[] };
}

/** What a record refers to: see `RecordReference`. */
export function usesOf({ kind, id, value }: Pick<RecordChange, "kind" | "id" | "value">): readonly UseRow[] {
  const { status, platform, server, bindings, connect } = (value ?? {}) as Referring;
  const members = kind === "server" ? (connect?.members ?? []) : [];
  const places = Object.values(bindings ?? {}).filter((place) => typeof place?.server === "string");
  const targets: readonly (readonly [UseRow["field"], unknown])[] = [
    ["platform", platform],
    ["server", kind === "platform" ? server : undefined],
    ...members.map((member) => ["server", member.server] as const),
    ...places.map((place) => ["server", place?.server] as const),
    ...places.map((place) => ["service", `${text(place?.server)}/${text(place?.service)}`] as const),
  ];
  const about = { kind, status: text(status), platform: text(platform), http: text(bindings?.["http"]?.service), id };
  return targets
    .filter(([, target]) => typeof target === "string")
    .map(([field, target]) => ({ field, target: text(target), ...about }));
}

/** Ids of the records that a query is for, each once. */
export async function usersOf(
  rows: ReadRows,
  kind: StoredRecord["kind"],
  query: RecordQuery,
): Promise<readonly string[]> {
  const uses = await rows.list(USES, { of: beginnings(kind, query), columns: ["id"] });
  return [...new Set(uses.map(({ id }) => id))];
}

/** The different values of one column among them, in order. */
export async function differentUses(
  rows: ReadRows,
  kind: StoredRecord["kind"],
  column: "platform" | "http",
  query: RecordQuery,
): Promise<readonly string[]> {
  const uses = await rows.list(USES, { of: beginnings(kind, query), each: column, columns: ["platform", "http"] });
  return [...new Set(uses.map((use) => use[column]))].toSorted();
}

function beginnings(kind: StoredRecord["kind"], { by, ids, status }: RecordQuery): readonly Partial<UseRow>[] {
  return ids.flatMap((target) => status.map((one) => ({ field: by, target, kind, status: one })));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
