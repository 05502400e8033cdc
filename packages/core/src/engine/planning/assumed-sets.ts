import type { RecordStore } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { namesOf } from "../../model/names-of.ts";
import type { Registry } from "../plugins/registry.ts";
import { LoadedInventory } from "./loaded-inventory.ts";
import type { AssumedSet, SetName } from "../../contracts/steps.ts";
import type { PlanData } from "./plan.ts";

/** What a plan may have been made for all of: ids of records, or names of services, by the id of whose they are. */
const SETS: Readonly<Record<SetName, (inventory: LoadedInventory, id: string) => Promise<readonly string[]>>> = {
  "sites served by server": async (inventory, id) => (await inventory.sitesOnServer(id)).map((site) => site.id),
  "sites on platform": async (inventory, id) => (await inventory.sitesOnPlatform(id)).map((site) => site.id),
  "http services at work on server": async (inventory, id) =>
    inventory
      .services(inventory.server(id))
      .filter(({ record, serves }) => record.kind === "http" && serves)
      .map(({ record }) => record.name),
  "members of cluster": async (inventory, id) => inventory.members(inventory.server(id)).map((member) => member.id),
};

export function assumedSets(sets: readonly AssumedSet[]): { readonly sets?: readonly AssumedSet[] } {
  const each = new Map(sets.map((one) => [`${one.set} ${one.of}`, { ...one, found: inOrder(one.set, one.found) }]));
  return each.size === 0 ? {} : { sets: [...each.values()] };
}

/** Before anything of a plan is begun, under its leases: nothing came to what it is about, and nothing went. @throws HW_RESOURCE_CHANGED */
export async function requireSets(
  { records, registry }: { readonly records: RecordStore; readonly registry: Registry },
  { title, sets = [] }: Pick<PlanData, "title" | "sets">,
): Promise<void> {
  if (sets.length === 0) return;
  const inventory = await LoadedInventory.load(records, registry);
  for (const { set, of, found } of sets) {
    const now = await presentSet(inventory, set, of);
    const [came, went] = [others(now, found), others(found, now)];
    if (String(inOrder(set, now)) === String(inOrder(set, found))) continue;
    const nameOf = (id: string): string => inventory.knownSite(id)?.domain ?? inventory.findServer(id)?.name ?? id;
    const names = (ids: readonly string[]): string => namesOf(ids.map(nameOf));
    const what = [
      came.length > 0 ? `${names(came)} came` : "",
      went.length > 0 ? `${names(went)} went` : "",
      came.length + went.length === 0 ? "their order" : "",
    ];
    throw new HostwrightError(
      "HW_RESOURCE_CHANGED",
      `The ${set} ${inventory.findServer(of)?.name ?? of} are others since "${title}" was planned: ${what.filter(Boolean).join(", ")}. Nothing was changed.`,
      { remedy: "Plan it again.", data: { set, of, came, went } },
    );
  }
}

async function presentSet(inventory: LoadedInventory, set: string, of: string): Promise<readonly string[]> {
  if (Object.hasOwn(SETS, set)) return SETS[set as SetName](inventory, of);
  throw new HostwrightError(
    "HW_PLUGIN_MISSING",
    `The plan was made for "${set}", which this version cannot compare. Nothing was changed.`,
  );
}

/** What runs once runs on the first member; of all others the order says nothing. */
function inOrder(set: string, found: readonly string[]): readonly string[] {
  return set === "members of cluster" ? found : found.toSorted();
}

/** Those of the one list that the other has not. */
function others(list: readonly string[], than: readonly string[]): readonly string[] {
  const known = new Set(than);
  return list.filter((one) => !known.has(one));
}
