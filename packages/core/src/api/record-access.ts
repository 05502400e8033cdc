import { setImmediate as nextTurn } from "node:timers/promises";
import * as z from "zod";
import type { RecordKind, RecordStore, StoredRecord } from "../contracts/store.ts";
import { HostwrightError, isHostwrightError } from "../errors/hostwright-error.ts";
import { parseInput } from "../model/parse.ts";
import type { SiteRecord } from "../model/records.ts";
import type { Access } from "./access.ts";

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

const Page = z.strictObject({
  after: z.string().max(300).optional(),
  limit: z.int().min(1).optional(),
});

/** A part of a list that is in the order of names. */
export interface ListOptions {
  /** Name, or domain, of the last one of the page before. Default: from the beginning. */
  readonly after?: string;
  /** Records at most; fewer are given only at the end of the list. Default: all. */
  readonly limit?: number;
}

/** What the actor may see of the records of a kind. @throws HW_INPUT_INVALID */
export async function listRecords<T>(
  records: RecordStore,
  kind: "server" | "platform" | "site",
  options: ListOptions,
  access: Access,
  isKept: (record: T) => boolean = () => true,
): Promise<readonly T[]> {
  const { after = "", limit = Infinity } = parseInput(Page, options, `${kind}s.list`);
  const found: T[] = [];
  for await (const page of pages(records, kind, { after, limit: Math.min(limit, AT_ONCE) })) {
    const kept = page.filter(({ value }) => isKept(value as T));
    for (const { value } of await access.visible(kind, kept, ({ name }) => name)) found.push(value as T);
    if (found.length >= limit) return found.slice(0, limit);
  }
  return found;
}

/** Records of a kind, in the order of their names; others have their turn between pages of them. */
export async function* everyRecord<T>(records: RecordStore, kind: RecordKind): AsyncGenerator<T> {
  for await (const page of pages(records, kind, { after: "", limit: AT_ONCE }))
    for (const { value } of page) yield value as T;
}

async function* pages(
  records: RecordStore,
  kind: RecordKind,
  { after, limit }: Required<ListOptions>,
): AsyncGenerator<readonly StoredRecord[]> {
  for (let from = after; ;) {
    const page = await records.list(kind, { after: from, limit });
    yield page;
    const last = page.at(-1);
    if (page.length < limit || last === undefined) return;
    from = last.name;
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
