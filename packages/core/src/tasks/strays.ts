import type { Planning, Registered } from "../contracts/planning.ts";
import type { Problem } from "../contracts/problem.ts";
import type { EnsureStep, ResourceFilter } from "../contracts/steps.ts";
import type { RecordVersion } from "../contracts/store.ts";
import { namesOf } from "../model/names-of.ts";
import type { ServerRecord } from "../model/records.ts";

const MOST_NAMED = 20;

/** What stays where its owner no longer stands: visitors may have written there, and it may be the only copy. */
export const KEPT_FOLDERS: ResourceFilter = { types: ["directory"] };

/** A site or platform that has something on a server and no longer stands there, since the server left its cluster. */
interface Stray {
  /** `site/<id>`, `platform/<id>`. */
  readonly owner: string;
  readonly name: string;
  /** Of the cluster, and of the site: what this was told by. */
  readonly records: readonly RecordVersion[];
  readonly rows: readonly Registered[];
}

/** `here`: owners that stand on the server, as their records say; they are not looked at. */
export async function straysOn(
  context: Planning,
  server: ServerRecord,
  here: readonly string[],
): Promise<readonly Stray[]> {
  const rows = await context.registered(server, { allBut: here });
  const strays: Stray[] = [];
  for (const [owner, own] of Map.groupBy(rows, (row) => row.owner)) {
    const stray = await strayOf(context, server, owner, own);
    if (stray !== null) strays.push(stray);
  }
  return strays;
}

/**
 * Null unless its records say where it stands instead: whose record, platform or server is missing or unreadable is left as
 * it is, and so is a site that is being made or deleted.
 */
async function strayOf(
  { inventory }: Planning,
  { id }: ServerRecord,
  owner: string,
  rows: readonly Registered[],
): Promise<Stray | null> {
  const [kind, ownId = ""] = owner.split("/");
  const site = kind === "site" ? await inventory.findSite(ownId) : null;
  const platform = inventory.findPlatform(kind === "site" ? (site?.platform ?? "") : ownId);
  if (platform === null || (kind === "site" && site?.status !== "installed")) return null;
  const place = inventory.findServer(platform.server);
  if (place === null || Object.values(site?.bindings ?? {}).some((bound) => bound?.server === id)) return null;
  const members = attempt(() => inventory.members(place));
  // Only who left a cluster served them before: what a task keeps of a site anywhere else is that task's.
  if (members === null || members[0].id === place.id || members.some((member) => member.id === id)) return null;
  if (!rows.some(({ type }) => type === (site === null ? "tree" : "unix-user"))) return null;
  const records: RecordVersion[] = [{ kind: "server", id: place.id, version: inventory.version(place.id) }];
  if (site !== null) records.push({ kind: "site", id: site.id, version: inventory.version(site.id) });
  return { owner, name: site?.domain ?? platform.name, records, rows };
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

/**
 * A server that has left a cluster goes on serving nothing of it, by whichever web server: that one may be another from now on.
 * First of all steps, so that its folders are empty when they go.
 */
export function retireSteps(
  server: ServerRecord,
  strays: readonly Stray[],
  apart: EnsureStep["apart"],
): readonly EnsureStep[] {
  if (strays.length === 0) return [];
  const owners = strays.map(({ owner }) => owner);
  return [
    {
      kind: "ensure",
      title: `take what no longer stands on ${server.name} out of service`,
      server,
      phase: "prepare",
      items: [],
      remove: [{ owners, removal: "delete", except: [KEPT_FOLDERS] }],
      records: strays.flatMap(({ records }) => records),
      ...(apart === undefined ? {} : { apart }),
    },
  ];
}

/** What of theirs stays. */
export function strayProblems(server: ServerRecord, strays: readonly Stray[]): readonly Problem[] {
  const left = strays.flatMap(({ name, rows }) => {
    const kept = rows.filter(({ type, removal }) => removal !== "delete" || KEPT_FOLDERS.types?.includes(type));
    return kept.length === 0 ? [] : [{ name, what: namesOf(kept.map(({ type, key }) => `${type} ${key}`)) }];
  });
  const named = left.slice(0, MOST_NAMED).map(({ name, what }) => ({
    message: `${name} no longer stands on ${server.name}. What visitors may have written, or others need, was left: ${what}.`,
    remedy: `Put ${server.name} back into the cluster, or save what is needed. Once ${name} is deleted, verify("${server.name}") removes the rest.`,
    tolerable: true,
  }));
  const more = left.length - named.length;
  if (more === 0) return named;
  const rest = { message: `${more} more no longer stand on ${server.name}.`, remedy: "See to those that are named." };
  return [...named, { ...rest, tolerable: true }];
}
