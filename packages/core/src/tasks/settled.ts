import type { Planning, Registered } from "../contracts/planning.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { isApi, type PlatformRecord, type ServerRecord, type SiteRecord } from "../model/records.ts";
import { isEntryOf } from "../plugin-kit/entries.ts";

interface Standing {
  readonly site: SiteRecord;
  readonly platform: PlatformRecord;
  readonly heads: readonly { readonly server: ServerRecord }[];
}

/**
 * Nothing, where all members of its cluster serve a site, and nobody else does. A member that has joined lacks it, one that
 * has left goes on serving it, until they are verified: a task that went by the record alone would change some of its heads.
 * @throws HW_RECORD_IN_USE
 */
export async function requireSettled(context: Planning, { site, platform, heads }: Standing): Promise<void> {
  const headIds = new Set(heads.map(({ server }) => server.id));
  // A server that is no cluster is another one only with another platform.
  if (headIds.has(platform.server) || site.status === "draft") return;
  const cluster = context.inventory.server(platform.server).name;
  for (const server of context.inventory.servers.filter((one) => !isApi(one))) {
    const rows = await context.registered(server, { owners: [`site/${site.id}`] });
    const isServing = rows.some((row) => serves(context, server, row));
    if (isServing === headIds.has(server.id)) continue;
    const { name } = server;
    throw isServing ? hasLeft(site, name, cluster) : hasJoined(site, name, cluster);
  }
}

function hasJoined({ domain }: SiteRecord, server: string, cluster: string): HostwrightError {
  return new HostwrightError(
    "HW_RECORD_IN_USE",
    `${server} has joined ${cluster}, and does not serve ${domain} yet. Nothing was changed.`,
    { server, remedy: `Run verify("${cluster}"), which sets up all of its sites there.` },
  );
}

function hasLeft({ domain }: SiteRecord, server: string, cluster: string): HostwrightError {
  return new HostwrightError(
    "HW_RECORD_IN_USE",
    `${server} has left ${cluster}, and goes on serving ${domain}. Nothing was changed.`,
    {
      server,
      remedy: `Run verify("${server}"), which takes it out of service. If that server is lost: hw.servers.remove("${server}").`,
    },
  );
}

/** Is it what answers visitors, or runs the site's code? */
function serves({ inventory }: Planning, server: ServerRecord, { type, key }: Registered): boolean {
  if (type === "unit") return true;
  return inventory.services(server).some(({ record, role: { publication } }) => {
    return record.kind === "http" && publication !== undefined && isEntryOf(publication, { type, key });
  });
}
