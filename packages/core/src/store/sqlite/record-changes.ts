import type { ErrorCode } from "../../errors/codes.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { RecordChange, RecordDiscard, RecordKind, RecordRemoval, StoredRecord } from "../../contracts/store.ts";
import type { Transactions } from "./transactions.ts";
import { toJson } from "./json.ts";
import { putSecrets } from "./secrets.ts";
import { requireVersion } from "./versions.ts";

const USES = `INSERT INTO uses SELECT DISTINCT one.value ->> '$.server', coalesce(one.value ->> '$.service', ''), kind, records.id
  FROM records, json_each(records.value, '$.bindings') AS one
  WHERE kind = ?1 AND records.id = ?2 AND one.type = 'object' AND one.value ->> '$.server' IS NOT NULL`;

/** Inside a transaction. All old claims are given up before any new one is made, so that names may be exchanged. */
export function putRecords(db: Transactions, changes: readonly RecordChange[]): void {
  for (const change of changes) {
    const { kind, id, name } = change;
    requireVersion(db, change, change.expect);
    for (const needed of change.needs ?? []) requireRecord(db, change, needed);
    db.run(
      `INSERT INTO records (kind, id, name, version, value) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET name = excluded.name, version = excluded.version, value = excluded.value`,
      kind,
      id,
      name,
      change.expect + 1,
      toJson(change.value),
    );
    dropNames(db, change);
    db.run(USES, kind, id);
    putSecrets(db, change.secrets ?? []);
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
    dropNames(db, removal);
  }
}

function dropNames(db: Transactions, { kind, id }: Pick<StoredRecord, "kind" | "id">): void {
  db.run("DELETE FROM claims WHERE kind = ? AND id = ?", kind, id);
  db.run("DELETE FROM uses WHERE kind = ? AND id = ?", kind, id);
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

export function holderOf(db: Transactions, kind: RecordKind, name: string): string | null {
  return db.get<{ id: string }>("SELECT id FROM claims WHERE kind = ? AND name = ?", kind, name)?.id ?? null;
}

function requireRecord(
  db: Transactions,
  { kind, name }: RecordChange,
  needed: Pick<StoredRecord, "kind" | "id">,
): void {
  if (db.get("SELECT 1 FROM records WHERE kind = ? AND id = ?", needed.kind, needed.id) !== undefined) return;
  throw new HostwrightError(
    "HW_NOT_FOUND",
    `The ${needed.kind} ${needed.id}, which the ${kind} ${name} refers to, is there no more. Nothing was changed.`,
    { data: { kind: needed.kind, id: needed.id } },
  );
}
