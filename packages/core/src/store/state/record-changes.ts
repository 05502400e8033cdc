import type { ErrorCode } from "../../errors/codes.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { RecordChange, RecordDiscard, RecordKind, RecordRemoval, StoredRecord } from "../../contracts/store.ts";
import type { ReadRows, Rows } from "../../contracts/store/tables.ts";
import { toJson } from "../json.ts";
import { SECRETS } from "../tables/secrets.ts";
import { CLAIMS, RECORDS, RETURNED_NUMBERS, USES, type ClaimRow, type RecordRow } from "../tables/records.ts";
import { usesOf } from "./record-uses.ts";
import { requireVersions } from "./versions.ts";

type Id = Pick<StoredRecord, "kind" | "id">;

/** All old claims are given up before any new one is made, so that names may be exchanged. */
export async function putRecords(rows: Rows, changes: readonly RecordChange[]): Promise<void> {
  await requireVersions(rows, changes);
  await rows.put(RECORDS, changes.map(rowOf));
  await requireNeeded(rows, changes);
  await setUses(rows, changes);
  const secrets = changes.flatMap((change) => change.secrets ?? []);
  await rows.put(SECRETS, secrets);
  await setNames(rows, changes);
}

export async function deleteRecords(rows: Rows, removals: readonly RecordRemoval[]): Promise<void> {
  await requireVersions(rows, removals);
  await rows.remove(RECORDS, removals);
  await dropNames(rows, removals);
}

/** False when it is gone already. */
export async function discardRecord(rows: Rows, { kind, id, number }: RecordDiscard): Promise<boolean> {
  const [record] = await rows.get(RECORDS, [{ kind, id }], ["id"]);
  if (record === undefined) return false;
  await deleteRecords(rows, [{ kind, id }]);
  await rows.put(RETURNED_NUMBERS, [number]);
  return true;
}

export async function holderOf(rows: ReadRows, kind: RecordKind, name: string): Promise<string | null> {
  return (await rows.get(CLAIMS, [{ kind, name }]))[0]?.id ?? null;
}

function rowOf({ kind, id, name, expect, value }: RecordChange): RecordRow {
  return { kind, id, name, version: expect + 1, value: toJson(value) };
}

async function dropNames(rows: Rows, records: readonly Id[]): Promise<void> {
  await rows.remove(CLAIMS, await rows.list(CLAIMS, ofRecords(records)));
  await rows.remove(USES, await rows.list(USES, ofRecords(records)));
}

async function setUses(rows: Rows, changes: readonly RecordChange[]): Promise<void> {
  const before = await rows.list(USES, ofRecords(changes.filter(isThere)));
  const wanted = changes.flatMap(usesOf);
  await rows.remove(USES, without(before, wanted));
  await rows.put(USES, without(wanted, before));
}

async function setNames(rows: Rows, changes: readonly RecordChange[]): Promise<void> {
  const before = await rows.list(CLAIMS, ofRecords(changes.filter(isThere)));
  const wanted = changes.flatMap(({ kind, id, name, claims }) =>
    [...new Set([name, ...claims])].map((one): ClaimRow => ({ kind, name: one, id })),
  );
  await rows.remove(CLAIMS, without(before, wanted));
  const more = without(wanted, before);
  const holders = new Map<string, string>();
  for (const claim of await rows.get(CLAIMS, more)) if (claim !== undefined) holders.set(nameOf(claim), claim.id);
  for (const claim of wanted) {
    const holder = holders.get(nameOf(claim)) ?? claim.id;
    if (holder !== claim.id) throw taken(claim, holder);
    holders.set(nameOf(claim), holder);
  }
  await rows.put(CLAIMS, more);
}

function ofRecords(records: readonly Id[]): { readonly by: "id"; readonly of: readonly Id[] } {
  return { by: "id", of: records.map(({ kind, id }) => ({ kind, id })) };
}

function isThere({ expect }: RecordChange): boolean {
  return expect > 0;
}

/** Rows that are not among others. */
function without<Row extends object>(rows: readonly Row[], others: readonly Row[]): readonly Row[] {
  const known = new Set(others.map(textOf));
  return rows.filter((row) => !known.has(textOf(row)));
}

function textOf(row: object): string {
  return JSON.stringify(row, Object.keys(row).toSorted());
}

function nameOf({ kind, name }: ClaimRow): string {
  return `${kind} ${name}`;
}

function taken({ kind, id, name }: ClaimRow, holder: string): HostwrightError {
  // Names of sites are domains; those of all other records are not.
  const code: ErrorCode = kind === "site" ? "HW_DOMAIN_TAKEN" : "HW_RECORD_TAKEN";
  const what = `The ${kind} ${id} cannot have the name ${name}: ${kind} ${holder} has it.`;
  return new HostwrightError(code, what, { data: { kind, name, holder } });
}

async function requireNeeded(rows: ReadRows, changes: readonly RecordChange[]): Promise<void> {
  const needed = changes.flatMap(({ kind, name, needs = [] }) => needs.map((of) => ({ of, kind, name })));
  const keys = needed.map(({ of }) => of);
  const found = await rows.get(RECORDS, keys, ["id"]);
  const missing = needed.find((_, index) => found[index] === undefined);
  if (missing === undefined) return;
  const { of, kind, name } = missing;
  throw new HostwrightError(
    "HW_NOT_FOUND",
    `The ${of.kind} ${of.id}, which the ${kind} ${name} refers to, is there no more. Nothing was changed.`,
    { data: { kind: of.kind, id: of.id } },
  );
}
