import type { Problem } from "../contracts/problem.ts";
import type { Publication } from "../contracts/publication.ts";
import type { Planning } from "../contracts/planning.ts";
import type { ServerRecord } from "../model/records.ts";
import { entryAddress } from "../plugin-kit/entries.ts";
import { publishersOf } from "./server-steps.ts";

/** Entries that a service refused and that no generation has: which site's, and why (decisions.md D18). */
export async function quarantineProblems(context: Planning, server: ServerRecord): Promise<readonly Problem[]> {
  const publishers = publishersOf(context, server);
  return (await Promise.all(publishers.map(async ({ publication }) => ofOne(context, server, publication)))).flat();
}

async function ofOne(context: Planning, server: ServerRecord, publication: Publication): Promise<readonly Problem[]> {
  const quarantined = await context.quarantined(server, publication);
  const resources = quarantined.map(({ name }) => entryAddress(publication, name));
  const owners = new Map((await context.registered(server, { resources })).map((row) => [row.key, row.owner]));
  const problems = quarantined.map(async ({ name, reason }): Promise<Problem> => {
    const owner = owners.get(entryAddress(publication, name).key) ?? "";
    const site = owner.startsWith("site/") ? await context.inventory.findSite(owner.slice("site/".length)) : null;
    const whose = site === null ? "" : ` of ${site.domain}`;
    return {
      message: `${publication.unit} refused ${name}${whose}, and goes on with what was in force of it: ${reason}`,
      remedy: `Remedy what it names, then verify ${site === null ? server.name : site.domain}.`,
      code: "HW_HTTP_CONFIG_REFUSED",
      tolerable: true,
    };
  });
  return Promise.all(problems);
}
