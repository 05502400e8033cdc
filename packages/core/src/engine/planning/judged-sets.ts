import type { RecordStore } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { namesOf } from "../../model/names-of.ts";
import type { Registry } from "../plugins/registry.ts";
import { Estate } from "./estate.ts";
import type { JudgedSet } from "../../contracts/steps.ts";
import type { PlanData } from "./plan.ts";

/** What a plan may have been made for all of: ids of records, or names of services, by the id of whose they are. */
const SETS: Readonly<Record<SetName, (estate: Estate, id: string) => Promise<readonly string[]>>> = {
  "sites served by server": async (estate, id) => (await estate.sitesOnServer(id)).map((site) => site.id),
  "sites on platform": async (estate, id) => (await estate.sitesOnPlatform(id)).map((site) => site.id),
  "http services at work on server": async (estate, id) => estate.servingHttp(estate.server(id)),
};

export type SetName = "sites served by server" | "sites on platform" | "http services at work on server";

/** All of them, as the plan is made from them. */
export async function judgedSet(estate: Estate, set: SetName, of: string): Promise<JudgedSet> {
  return { set, of, found: (await SETS[set](estate, of)).toSorted() };
}

export function judgedSets(sets: readonly JudgedSet[]): { readonly sets?: readonly JudgedSet[] } {
  const each = new Map(sets.map((one) => [`${one.set} ${one.of}`, one]));
  return each.size === 0 ? {} : { sets: [...each.values()] };
}

/** Before anything of a plan is begun, under its leases: nothing came to what it is about, and nothing went. @throws HW_RESOURCE_CHANGED */
export async function requireSets(
  { records, registry }: { readonly records: RecordStore; readonly registry: Registry },
  { title, sets = [] }: Pick<PlanData, "title" | "sets">,
): Promise<void> {
  if (sets.length === 0) return;
  const estate = await Estate.load(records, registry);
  for (const { set, of, found } of sets) {
    const now = await presentSet(estate, set, of);
    const [came, went] = [others(now, found), others(found, now)];
    if (came.length + went.length === 0) continue;
    const names = (ids: readonly string[]): string => namesOf(ids.map((id) => estate.knownSite(id)?.domain ?? id));
    const what = [came.length > 0 ? `${names(came)} came` : "", went.length > 0 ? `${names(went)} went` : ""];
    throw new HostwrightError(
      "HW_RESOURCE_CHANGED",
      `The ${set} ${of} are others since "${title}" was planned: ${what.filter(Boolean).join(", ")}. Nothing was changed.`,
      { mend: "Plan it again.", data: { set, of, came, went } },
    );
  }
}

async function presentSet(estate: Estate, set: string, of: string): Promise<readonly string[]> {
  if (Object.hasOwn(SETS, set)) return SETS[set as SetName](estate, of);
  throw new HostwrightError(
    "HW_PLUGIN_MISSING",
    `The plan was made for "${set}", which this version cannot compare. Nothing was changed.`,
  );
}

/** Those of the one list that the other has not. */
function others(list: readonly string[], than: readonly string[]): readonly string[] {
  const known = new Set(than);
  return list.filter((one) => !known.has(one));
}
