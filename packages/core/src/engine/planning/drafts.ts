import type { RecordStore } from "../../contracts/store.ts";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import { newId } from "../../model/ids.ts";
import type { SiteRecord } from "../../model/records.ts";

/** Version of a draft, which is written once: what reserves its domain expects it. */
export const DRAFT_VERSION = 1;

/** Of the unix ids of sites. */
export interface IdRange {
  readonly from: number;
  readonly to: number;
}

/** The site that a task is about to make, if it was planned before: its id and unix id stay the same. */
export async function draftOf(records: RecordStore, task: string): Promise<SiteRecord | null> {
  const stored = await records.get("site", task);
  const site = stored?.value as SiteRecord | undefined;
  return site?.status === "draft" ? site : null;
}

/**
 * Gives a site its ids, the unix id one that is in use nowhere on its server. Named by its task: two tasks for one domain
 * are in nobody's way until one reserves the domain. @throws HW_HOST_UNSUPPORTED when all unix ids were given out
 */
export async function makeDraft(
  records: RecordStore,
  task: string,
  wanted: Omit<SiteRecord, "id" | "uid" | "status">,
  ids: IdRange & { readonly used: ReadonlySet<number> },
): Promise<SiteRecord> {
  const site: SiteRecord = { ...wanted, status: "draft", id: newId("s"), uid: await drawUid(records, ids) };
  await records.put({ kind: "site", id: site.id, name: task, value: site }, { expect: 0, claims: [] });
  if (site.uid <= ids.to) return site;
  throw new HostwrightError(
    "HW_HOST_UNSUPPORTED",
    `All unix ids up to ${ids.to} were given out. Nothing was changed.`,
    {
      remedy: "Widen the range of unix ids that createHostwright was given.",
    },
  );
}

/**
 * From here on nobody can make a site of it: whoever would reserve its names expects it as it was made. False when somebody
 * has: what it named is a site's by now (decisions.md D56).
 */
export async function retireDraft(records: RecordStore, task: string, draft: SiteRecord): Promise<boolean> {
  try {
    await records.put({ kind: "site", id: draft.id, name: task, value: draft }, { expect: DRAFT_VERSION, claims: [] });
    return true;
  } catch (error) {
    if (!isHostwrightError(error) || error.code !== "HW_TASK_STATE") throw error;
    // Somebody who died has retired it before, perhaps.
    return (await draftOf(records, task))?.id === draft.id;
  }
}

async function drawUid(
  records: RecordStore,
  { from, used }: Pick<IdRange, "from"> & { readonly used: ReadonlySet<number> },
): Promise<number> {
  let free = from;
  for (;;) {
    while (used.has(free)) free += 1;
    const drawn = await records.nextNumber("uid", free);
    if (!used.has(drawn)) return drawn;
    free = drawn + 1;
  }
}
