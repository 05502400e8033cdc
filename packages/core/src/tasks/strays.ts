import type { Problem } from "../contracts/problem.ts";
import type { Planning } from "../contracts/planning.ts";
import type { EnsureStep } from "../contracts/steps.ts";
import { namesOf } from "../model/names-of.ts";
import type { ServerRecord } from "../model/records.ts";

/** Whoever has something on a server and no longer stands there, since the server left their cluster or a clean-up failed. */
export interface Strays {
  /** Sites and platforms, as owners. */
  readonly owners: readonly string[];
  /** Their folders, users, releases and databases stay, and are named: it may be the only copy. */
  readonly problems: readonly Problem[];
}

/** `here`: the owners that stand on the server, as their records say. */
export async function straysOn(context: Planning, server: ServerRecord, here: readonly string[]): Promise<Strays> {
  const rows = await context.registered(server, { allBut: here });
  const owners: string[] = [];
  const problems: Problem[] = [];
  for (const [owner, own] of Map.groupBy(rows, (row) => row.owner)) {
    const name = await nameOf(context, owner);
    if (name === null) continue;
    owners.push(owner);
    const what = namesOf(own.map(({ type, key }) => `${type} ${key}`));
    problems.push({
      message: `${name} no longer stands on ${server.name}, and has still ${what} there. It was left as it is.`,
      remedy: `Save what is needed of it. Put ${server.name} back where it was, or remove it: hw.servers.remove("${server.name}").`,
      tolerable: true,
    });
  }
  return { owners, problems };
}

/**
 * A server that has left a cluster goes on serving nothing of it, by whichever web server: that one may be another from now on.
 * First of all steps, so that its folders are empty when they go.
 */
export function retireStep(server: ServerRecord, { owners }: Strays): readonly EnsureStep[] {
  if (owners.length === 0) return [];
  return [
    {
      kind: "ensure",
      title: `take what no longer stands on ${server.name} out of service`,
      server,
      phase: "prepare",
      items: [],
      // What can be made again. Folders hold what cannot.
      remove: [{ owners, removal: "delete", except: [{ types: ["directory"] }] }],
    },
  ];
}

/** Null of a site that is being made or deleted: that is its task's. */
async function nameOf({ inventory }: Planning, owner: string): Promise<string | null> {
  const [kind, id = ""] = owner.split("/");
  if (kind === "platform") return inventory.findPlatform(id)?.name ?? null;
  const site = kind === "site" ? await inventory.findSite(id) : null;
  return site?.status === "installed" ? site.domain : null;
}
