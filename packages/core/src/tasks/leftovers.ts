import { dirname } from "node:path/posix";
import type { UnitProperty } from "../contracts/roles/runtime.ts";
import type { EnsureStep, RunStep, Step } from "../contracts/steps.ts";
import type { Planning, Registered } from "../contracts/planning.ts";
import type { RecordVersion } from "../contracts/store.ts";
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
export async function leftoversOn(context: Planning, server: ServerRecord): Promise<Leftovers> {
  const rows = await context.registered(server, { orphans: true });
  if (rows.length === 0) return { steps: [], owners: [] };
  const gone = [...new Set(rows.map(({ owner }) => owner))];
  const remove: EnsureStep = {
    kind: "ensure",
    title: `remove what ${deleted(gone)} left on ${server.name}`,
    server,
    phase: "clean-up",
    items: [],
    remove: [{ owners: gone }],
    records: gone.map(goneRecord),
  };
  return {
    steps: [...(await usersOf(context, server, rows)).map((user) => emptyLeftover(server, user, rows)), remove],
    owners: gone,
  };
}

/** Users go last: where there is none any more, there are no files of it either. */
async function usersOf(
  context: Planning,
  server: ServerRecord,
  rows: readonly Registered[],
): Promise<readonly Registered[]> {
  const users = rows.filter(({ type }) => type === "unix-user");
  if (users.length === 0) return [];
  const target = await context.target(server);
  const argv = ["getent", "passwd", ...users.map(({ key }) => key)];
  const { stdout } = await target.server.run({ argv, signal: target.signal });
  const present = new Set(
    stdout
      .toString()
      .split("\n")
      .map((line) => line.split(":")[0]),
  );
  return users.filter(({ key }) => present.has(key));
}

/** Whoever it was has no record. */
function goneRecord(owner: string): RecordVersion {
  const [kind, id = ""] = owner.split("/");
  return { kind: kind === "site" ? "site" : "platform", id, version: 0 };
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
function emptyLeftover(server: ServerRecord, user: Registered, rows: readonly Registered[]): RunStep {
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
    records: [goneRecord(user.owner)],
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
