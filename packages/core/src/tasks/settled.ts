import type { BoundService, Planning } from "../contracts/planning.ts";
import type { BackingRole, BindingRequest } from "../contracts/roles/backing.ts";
import type { ServerView } from "../contracts/views.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { isApi, type PlatformRecord, type ServerRecord, type SiteRecord } from "../model/records.ts";

/** What a site has once; of `Backing` what says what it keeps where. */
interface Placed {
  readonly site: SiteRecord;
  readonly platform: PlatformRecord;
  readonly backing: ReadonlyMap<
    string,
    { readonly service: BoundService<BackingRole>; readonly request: BindingRequest; readonly view: ServerView }
  >;
}

interface Standing extends Placed {
  readonly heads: readonly { readonly server: ServerRecord; readonly isServing: boolean }[];
}

/**
 * Nothing, where all members of its cluster serve a site, and nobody else does. A member that has joined lacks it, one that
 * has left goes on serving it, until they are verified: a task that went by the record alone would change some of its heads.
 * `partly`: not all members need serve it. @throws HW_RECORD_IN_USE
 */
export async function requireSettled(
  context: Planning,
  placed: Standing,
  { partly }: { readonly partly: boolean },
): Promise<void> {
  const { site, platform, heads } = placed;
  const headIds = new Set(heads.map(({ server }) => server.id));
  // A server that is no cluster is another one only with another platform.
  if (headIds.has(platform.server) || site.status !== "installed") return;
  const cluster = context.inventory.server(platform.server).name;
  const joined = partly ? undefined : heads.find(({ isServing }) => !isServing);
  if (joined !== undefined) throw doesNotServe(site, joined.server.name, cluster);
  const others = context.inventory.servers.filter((server) => !headIds.has(server.id) && !isApi(server));
  const standing = await Promise.all(others.map(async (server) => standingOf(context, placed, server)));
  const left = others.find((_, index) => standing[index]?.isServing);
  if (left !== undefined) throw hasLeft(site, left.name, cluster);
}

/** What a server has of a site as a web head, by what is registered: its user, and what answers visitors or runs its code. */
export async function standingOf(
  context: Planning,
  { site, backing }: Placed,
  server: ServerRecord,
): Promise<{ readonly isNew: boolean; readonly isServing: boolean }> {
  const rows = await context.registered(server, { owners: [`site/${site.id}`] });
  // Whoever keeps something for a site, and does not serve it, has no user of it.
  const isNew = !rows.some(({ type }) => type === "unix-user");
  if (isNew) return { isNew, isServing: false };
  // A former head may go on keeping something for the site, with a unit or a file for it.
  const here = [...backing.values()].filter(({ service }) => service.server.id === server.id);
  const declared = here.flatMap(({ service, request, view }) => service.role.site(request, view));
  const kept = new Set(declared.map((item) => `${item.type} ${context.keyOf(item)}`));
  const own = rows.filter(({ type, key }) => !kept.has(`${type} ${key}`));
  return { isNew, isServing: own.some(({ type }) => type === "unit" || type === "file") };
}

function doesNotServe({ domain }: SiteRecord, server: string, cluster: string): HostwrightError {
  return new HostwrightError(
    "HW_RECORD_IN_USE",
    `${server} is a member of ${cluster}, and does not serve ${domain} yet. Nothing was changed.`,
    {
      server,
      remedy: `Run verify("${cluster}"), which sets up all of its sites there, and names what keeps it from that.`,
    },
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
