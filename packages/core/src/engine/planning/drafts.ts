import type { RecordStore } from "../../contracts/store.ts";
import { newId } from "../../model/ids.ts";
import type { SiteRecord } from "../../model/records.ts";

/** Version of a draft, which is written once: what reserves its domain expects it. */
export const DRAFT_VERSION = 1;

/** The site that a task is about to make, if it was planned before: its id and unix id stay the same. */
export async function draftOf(records: RecordStore, task: string): Promise<SiteRecord | null> {
  const stored = await records.get("site", task);
  const site = stored?.value as SiteRecord | undefined;
  return site?.status === "draft" ? site : null;
}

/** Gives a site its ids. Named by its task: two tasks for one domain are in nobody's way until one reserves the domain. */
export async function makeDraft(
  records: RecordStore,
  task: string,
  wanted: Omit<SiteRecord, "id" | "uid">,
  firstUid: number,
): Promise<SiteRecord> {
  const site: SiteRecord = { ...wanted, id: newId("s"), uid: await records.nextNumber("uid", firstUid) };
  await records.put({ kind: "site", id: site.id, name: task, value: site }, { expect: 0, claims: [] });
  return site;
}
