import type { Problem } from "../contracts/problem.ts";
import type { Standing } from "../contracts/facts.ts";
import type { Planning } from "../contracts/planning.ts";
import type { ServerRecord } from "../model/records.ts";

const MOST_NAMED = 20;

/** What stands on a server, looks like an installation's, and is registered for nobody here (decisions.md D56). */
export async function foreignThings(context: Planning, server: ServerRecord): Promise<readonly Standing[]> {
  // The server first: what is being made at this moment is registered before it stands.
  const { standing } = await context.facts(server, { standing: true });
  const rows = await context.registered(server, { resources: standing });
  const known = new Set(rows.map(({ type, key }) => `${type} ${key}`));
  return standing.filter(({ type, key }) => !known.has(`${type} ${key}`));
}

/** As verify tells it: in nobody's way, and left as it is. */
export async function foreignProblems(context: Planning, server: ServerRecord): Promise<readonly Problem[]> {
  const groups = [...Map.groupBy(await foreignThings(context, server), (thing) => thing.of)];
  const named = groups.slice(0, MOST_NAMED).map(([of, things]) => ({
    message: `${of} is not this installation's, but another's or nobody's, and was left as it is: ${things
      .map(({ type, key }) => `${type} ${key}`)
      .join(", ")}`,
    remedy: `Find out whose it is. What belongs to nobody any more may be removed on ${server.name} by hand.`,
    code: "HW_RESOURCE_FOREIGN" as const,
    tolerable: true,
  }));
  const more = groups.length - named.length;
  if (more === 0) return named;
  const rest = {
    message: `${more} more are not this installation's.`,
    remedy: "Remedy those that are named, then verify again.",
  };
  return [...named, { ...rest, code: "HW_RESOURCE_FOREIGN", tolerable: true }];
}
