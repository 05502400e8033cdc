import { dirname } from "node:path/posix";
import type { RegisteredResource } from "../contracts/store.ts";
import type { UnitProperty } from "../contracts/roles/runtime.ts";
import { recordOf } from "../engine/planning/assumed-records.ts";
import type { EnsureStep, RunStep, Step } from "../contracts/steps.ts";
import type { PlanningContext } from "../engine/planning/task-type.ts";
import { readStates, addressKey } from "../engine/planning/resource-states.ts";
import type { ServerRecord } from "../model/records.ts";
import type { SiteCommandInput } from "../operations/site-command.ts";

export interface Leftovers {
  readonly steps: readonly Step[];
  /** Nobody of that id is made while they go, and none is taken that needs attention. */
  readonly owners: readonly string[];
}

/**
 * What deleted sites and platforms still have on a server, because a clean-up of their delete task failed there: registered, but without
 * a record. It goes now (decisions.md D8), unless there is a record when its turn comes.
 */
export async function leftoversOn(context: PlanningContext, server: ServerRecord): Promise<Leftovers> {
  const { register, registry, session } = context;
  const gone = new Set((await register.orphans(server.id)).filter((owner) => /^(?:site|platform)\//.test(owner)));
  if (gone.size === 0) return { steps: [], owners: [] };
  const rows = (await register.about(server.id, [...gone], [])).filter((row) => gone.has(row.owner));
  const users = rows.filter((row) => row.type === "unix-user");
  // Users go last: where there is none, there are no files of it either.
  const present = await readStates(registry, await session.target(server), users, { contents: false });
  const standing = users.filter((row) => present.has(addressKey(row.type, row.key)));
  const remove: EnsureStep = {
    kind: "ensure",
    title: `remove what ${deleted([...gone])} left on ${server.name}`,
    server,
    phase: "clean-up",
    items: [],
    remove: [{ owners: [...gone] }],
    records: [...gone].map((owner) => recordOf(owner, 0)),
  };
  return {
    steps: [...standing.map((user) => emptyLeftover(server, user, rows)), remove],
    owners: [...gone],
  };
}

/** `2 deleted sites and 1 deleted platform`. */
function deleted(owners: readonly string[]): string {
  const counts = ["site", "platform"].map(
    (kind) => [kind, owners.filter((owner) => owner.startsWith(kind)).length] as const,
  );
  return counts
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} deleted ${kind}${count === 1 ? "" : "s"}`)
    .join(" and ");
}

/** Root keeps out of owners' folders: their files are removed by the user that they belong to (decisions.md D26). */
function emptyLeftover(server: ServerRecord, user: RegisteredResource, rows: readonly RegisteredResource[]): RunStep {
  const own = rows.filter((row) => row.owner === user.owner);
  const parents = new Set(own.map((row) => dirname(row.key)));
  const folders = own.filter((row) => row.type === "directory" && !parents.has(row.key)).map((row) => row.key);
  const input: SiteCommandInput = {
    what: `the deleted ${user.owner}`,
    properties: confined(user.key, folders),
    argv: [],
    input: {},
    timeoutMs: 600_000,
    folders,
  };
  return {
    kind: "run",
    title: `remove the files of the deleted ${user.owner}`,
    server,
    phase: "clean-up",
    operation: "empty-site",
    input,
    when: "always",
    records: [recordOf(user.owner, 0)],
  };
}

function confined(user: string, folders: readonly string[]): readonly UnitProperty[] {
  return [
    ["User", user],
    ["Group", user],
    ["NoNewPrivileges", "yes"],
    ["CapabilityBoundingSet", ""],
    ["PrivateDevices", "yes"],
    ["PrivateNetwork", "yes"],
    ["ProtectSystem", "strict"],
    ...folders.map((folder): UnitProperty => ["ReadWritePaths", `-${folder}`]),
  ];
}
