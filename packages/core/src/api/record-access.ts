import { setImmediate as nextTurn } from "node:timers/promises";
import type { RecordKind, RecordStore, StoredRecord } from "../contracts/store.ts";
import { HostwrightError, isHostwrightError } from "../errors/hostwright-error.ts";
import type { SiteRecord } from "../model/records.ts";

/** By id or name, with or without the `@` of an alias. @throws HW_NOT_FOUND */
export async function getRecord(records: RecordStore, kind: RecordKind, idOrName: string): Promise<StoredRecord> {
  const stored = await records.get(kind, idOrName.replace(/^@/, ""));
  if (stored !== null) return stored;
  throw new HostwrightError("HW_NOT_FOUND", `There is no ${kind} "${idOrName.slice(0, 100)}".`);
}

/** By the name that a rule of the policy knows it by, never by its id; null: there is none. */
export async function namedRecord(records: RecordStore, kind: RecordKind, name: string): Promise<StoredRecord | null> {
  const id = await records.claimedBy(kind, name);
  return id === null ? null : records.get(kind, id);
}

/** Of sites that are there, are being made or go: all but drafts. */
export const KEPT: readonly SiteRecord["status"][] = ["installing", "installed", "deleting"];
const AT_ONCE = 200;

/** Records of a kind, in the order of their names; others have their turn between pages of them. */
export async function* everyRecord<T>(records: RecordStore, kind: RecordKind): AsyncGenerator<T> {
  let after = "";
  for (;;) {
    const page = await records.list(kind, { after, limit: AT_ONCE });
    for (const { value } of page) yield value as T;
    const last = page.at(-1);
    if (page.length < AT_ONCE || last === undefined) return;
    after = last.name;
    await nextTurn();
  }
}

/** Tries of a change that others are faster than. */
const TRIES = 10;

/** A change of a record that another one was faster than is made again, on what is there now (decisions.md D38). */
export async function untilUnraced<T>(change: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await change();
    } catch (error) {
      if (tries === TRIES || !wasRaced(error)) throw error;
    }
  }
}

function wasRaced(error: unknown): boolean {
  if (!isHostwrightError(error)) return false;
  return error.code === "HW_RECORD_TAKEN" || (error.code === "HW_TASK_STATE" && "expect" in error.data);
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
