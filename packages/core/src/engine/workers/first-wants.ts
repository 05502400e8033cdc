import type { LeaseRequest, RecordStore, Wants } from "../../contracts/store.ts";
import { plainName } from "../../model/domain.ts";
import { membersOf, type PlatformRecord, type ServerRecord, type SiteRecord } from "../../model/records.ts";
import type { TaskSubject } from "../../contracts/task.ts";

/**
 * What a task wants before it is planned, from the records as they are when it is submitted: what it is about for itself
 * alone, and what that stands on together with others. Its plan may ask for more. A site is known by the names given as
 * well: of two tasks for one that is yet to be made, the second waits for the first.
 */
export async function firstWants(records: RecordStore, task: string, about: TaskSubject): Promise<Wants> {
  const wants = new Map<string, LeaseRequest>();
  const want = (scope: string, mode: LeaseRequest["mode"]): void => {
    if (!wants.has(scope)) wants.set(scope, { scope, mode });
  };
  const alias = await aliasOf(records, about.alias);
  const siteName = about.site ?? alias.site;
  const site = siteName === undefined ? null : await records.get("site", plainName(siteName));
  const platformName = about.platform ?? alias.platform;
  const platform = platformName === undefined ? null : await records.get("platform", plainName(platformName));
  const server = await records.get("server", plainName(about.server ?? alias.server ?? ""));

  if (site !== null) want(`site/${site.id}`, "exclusive");
  if (siteName !== undefined)
    for (const name of [siteName, ...(about.aliases ?? [])]) want(`site-name/${plainName(name)}`, "exclusive");
  // Whatever comes first is what the task is about.
  const own = (): LeaseRequest["mode"] => (wants.size === 0 ? "exclusive" : "shared");
  if (platform !== null) {
    want(`platform/${platform.id}`, own());
    for (const id of await machinesOf(records, (platform.value as PlatformRecord).server))
      want(`server/${id}`, "shared");
  }
  if (server !== null) {
    const mode = own();
    for (const id of [server.id, ...(membersOf(server.value as ServerRecord) ?? [])]) want(`server/${id}`, mode);
  }
  if (site !== null)
    for (const id of await serversOf(records, site.value as SiteRecord)) want(`server/${id}`, "shared");

  const [first] = wants.values();
  return { subject: first?.mode === "exclusive" ? first.scope : task, scopes: [...wants.values()] };
}

/** Where a site's pages and bound services are. */
async function serversOf(records: RecordStore, site: SiteRecord): Promise<readonly string[]> {
  const platform = (await records.get("platform", site.platform))?.value as PlatformRecord | undefined;
  const bound = Object.values(site.bindings ?? {}).map((place) => place?.server);
  const served = platform === undefined ? [] : await machinesOf(records, platform.server);
  return [...served, ...bound].filter((id) => id !== undefined);
}

/** Of a cluster its members; of any other server that alone. */
async function machinesOf(records: RecordStore, server: string): Promise<readonly string[]> {
  const stored = await records.get("server", server);
  return (stored === null ? null : membersOf(stored.value as ServerRecord)) ?? [server];
}

/** A server, a platform or a site, by whatever name: in the order in which a task looks for it. */
async function aliasOf(records: RecordStore, alias: string | undefined): Promise<TaskSubject> {
  if (alias === undefined) return {};
  const name = plainName(alias);
  if ((await records.get("server", name)) !== null) return { server: name };
  if ((await records.get("platform", name)) !== null) return { platform: name };
  return { site: name };
}
