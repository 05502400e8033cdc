import type { RecordKind, RecordStore, StoredRecord } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";

/** By id or name, with or without the `@` of an alias. @throws HW_NOT_FOUND */
export async function getRecord(records: RecordStore, kind: RecordKind, idOrName: string): Promise<StoredRecord> {
  const stored = await records.get(kind, idOrName.replace(/^@/, ""));
  if (stored !== null) return stored;
  throw new HostwrightError("HW_NOT_FOUND", `There is no ${kind} "${idOrName.slice(0, 100)}".`);
}

/** A record held by code or a file is written by that alone (decisions.md D38). @throws HW_RECORD_MANAGED */
export function requireManager(
  known: { readonly managedBy: string | null } | undefined,
  managedBy: string | undefined,
  name: string,
): void {
  if (known === undefined || known.managedBy === null || known.managedBy === managedBy) return;
  throw new HostwrightError("HW_RECORD_MANAGED", `${name} is managed by ${known.managedBy}. Nothing was changed.`);
}
