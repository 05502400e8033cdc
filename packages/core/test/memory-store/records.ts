import type {
  RecordChange,
  RecordDiscard,
  RecordKind,
  RecordQuery,
  RecordRemoval,
  RecordStore,
  RegisteredResource,
  StoredRecord,
} from "../../src/contracts/store.ts";
import type { SiteRecord } from "../../src/model/records.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import { fromJson, toJson } from "../../src/store/json.ts";
import { atomically, keyOf, nextNumber, type RecordRow, type Tables } from "./tables.ts";

export function memoryRecords(tables: Tables): RecordStore {
  return {
    get: async (kind, idOrName) => {
      const named = tables.claims.get(keyOf(kind, idOrName)) ?? "";
      const row = tables.records.get(keyOf(kind, idOrName)) ?? tables.records.get(keyOf(kind, named));
      return row === undefined ? null : parse(row);
    },
    list: async (kind, { after = "", limit } = {}) =>
      [...tables.records.values()]
        .filter((row) => row.kind === kind && row.name > after)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .slice(0, limit)
        .map(parse),
    referring: async (kind, query) => referring(tables, kind, query),
    different: async (kind, field, query) => {
      const found = referring(tables, kind, query).map(({ value }) => {
        const { platform = "", bindings } = value as Partial<SiteRecord>;
        return field === "platform" ? platform : (bindings?.http.service ?? "");
      });
      return [...new Set(found)].toSorted();
    },
    put: async (record, options) => {
      atomically(tables, () => putRecords(tables, [{ ...record, ...options }]));
      return { ...record, version: options.expect + 1 };
    },
    forget: async (kind, id, expect) => forgetRecord(tables, { kind, id, expect }),
    claimedBy: async (kind, name) => tables.claims.get(keyOf(kind, name)) ?? null,
    nextNumber: async (counter, from) => {
      const returned = [...(tables.returned.get(counter) ?? [])].filter((value) => value >= from);
      if (returned.length === 0) return nextNumber(tables, counter, from);
      const value = Math.min(...returned);
      tables.returned.get(counter)?.delete(value);
      return value;
    },
    discard: async (kind, id, number) => discardRecord(tables, { kind, id, number }),
  };
}

/** False when it is gone already. */
export function discardRecord(tables: Tables, { kind, id, number: { counter, value } }: RecordDiscard): boolean {
  if (!tables.records.has(keyOf(kind, id))) return false;
  deleteRecords(tables, [{ kind, id }]);
  tables.returned.set(counter, new Set([...(tables.returned.get(counter) ?? []), value]));
  return true;
}

/** All old names are given up before any new one is claimed, so that names may be exchanged. */
export function putRecords(tables: Tables, changes: readonly RecordChange[]): void {
  for (const { kind, id, name, value, expect, needs = [] } of changes) {
    requireVersion(tables, { kind, id }, expect);
    for (const needed of needs) {
      if (!tables.records.has(keyOf(needed.kind, needed.id)))
        throw new HostwrightError("HW_NOT_FOUND", `There is no ${needed.kind} ${needed.id}.`);
    }
    tables.records.set(keyOf(kind, id), { kind, id, name, version: expect + 1, value: toJson(value) });
    dropClaims(tables, kind, id);
  }
  for (const { kind, id, name, claims, secrets = [] } of changes) {
    for (const one of secrets) tables.secrets.set(one.id, one.sealed);
    for (const claimed of [name, ...claims]) {
      const holder = tables.claims.get(keyOf(kind, claimed));
      if (holder !== undefined && holder !== id) {
        throw new HostwrightError(
          kind === "site" ? "HW_DOMAIN_TAKEN" : "HW_RECORD_TAKEN",
          `${kind} ${holder} has the name ${claimed}.`,
        );
      }
      tables.claims.set(keyOf(kind, claimed), id);
    }
  }
}

export function deleteRecords(tables: Tables, removals: readonly RecordRemoval[]): void {
  for (const removal of removals) {
    if (removal.expect !== undefined) requireVersion(tables, removal, removal.expect);
    tables.records.delete(keyOf(removal.kind, removal.id));
    dropClaims(tables, removal.kind, removal.id);
  }
}

function forgetRecord(tables: Tables, removal: Required<RecordRemoval>): readonly RegisteredResource[] {
  const { kind, id, expect } = removal;
  const owner = `${kind}/${id}`;
  if (isNeeded(tables, removal))
    throw new HostwrightError("HW_TASK_STATE", `The ${owner} is needed.`, { data: { kind, id, expect } });
  deleteRecords(tables, [removal]);
  for (const secret of tables.secrets.keys()) if (secret.startsWith(`${owner}/`)) tables.secrets.delete(secret);
  const left = [...tables.register].filter(([, row]) => kind === "server" && row.server === id);
  for (const [key] of left) tables.register.delete(key);
  return left.map(([, row]) => row);
}

function isNeeded(tables: Tables, { kind, id }: RecordRemoval): boolean {
  const owner = `${kind}/${id}`;
  const status = ["installing", "installed", "deleting"];
  const by = { server: ["server"], platform: ["platform"] } as const;
  const task = kind === "site" ? tables.tasks.get(tables.records.get(keyOf("site", id))?.name ?? "") : undefined;
  return (
    (kind === "server" || kind === "platform" ? by[kind] : []).some(
      (one) => referring(tables, "site", { by: one, ids: [id], status }).length > 0,
    ) ||
    (kind === "server" &&
      [...tables.records.values()].some(
        (row) => row.kind === "platform" && (fromJson(row.value) as { readonly server?: string }).server === id,
      )) ||
    [...tables.leases.values()].some(({ scope }) => scope === owner) ||
    (task !== undefined && !["succeeded", "undone"].includes(task.state)) ||
    (kind !== "server" && [...tables.register.values()].some((row) => row.owner === owner))
  );
}

function dropClaims(tables: Tables, kind: RecordKind, id: string): void {
  for (const [name, holder] of tables.claims) {
    if (holder === id && name.startsWith(`${kind}\n`)) tables.claims.delete(name);
  }
}

export function requireVersion(tables: Tables, { kind, id }: Pick<RecordRemoval, "kind" | "id">, expect: number): void {
  const version = tables.records.get(keyOf(kind, id))?.version ?? 0;
  if (version === expect) return;
  throw new HostwrightError("HW_TASK_STATE", `The ${kind} ${id} is at version ${version}, not ${expect}.`, {
    data: { kind, id, expect },
  });
}

function parse(row: RecordRow): StoredRecord {
  return { ...row, value: fromJson(row.value) };
}

function referring(tables: Tables, kind: RecordKind, { by, ids, status }: RecordQuery): readonly StoredRecord[] {
  const all = [...tables.records.values()].filter((row) => row.kind === kind).map(parse);
  return all
    .filter(({ value }) => {
      const { platform, bindings, status: at = "" } = value as Partial<SiteRecord>;
      const places = Object.values(bindings ?? {}).filter((place) => place?.server !== undefined);
      const targets =
        by === "platform"
          ? [platform]
          : places.map((place) => (by === "server" ? place?.server : `${place?.server}/${place?.service}`));
      return targets.some((id) => id !== undefined && ids.includes(id)) && status.includes(at);
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
