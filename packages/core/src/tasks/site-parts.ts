import { HostwrightError } from "../errors/hostwright-error.ts";
import type { PlatformDefinition } from "../contracts/plugin.ts";
import type { SiteSeed } from "../contracts/platform.ts";
import type { BackingRole, BindingRequest } from "../contracts/roles/backing.ts";
import type { DatabaseRole } from "../contracts/roles/database.ts";
import type { HttpRole } from "../contracts/roles/http.ts";
import type { RuntimeRole } from "../contracts/roles/runtime.ts";
import type { Binding, PlatformView, RuntimeView, ServerView, SitePaths, SiteView } from "../contracts/views.ts";
import { placementsOf } from "./platform-steps.ts";
import { requireSettled, standingOf } from "./settled.ts";
import { NO_OWN_RULES } from "../model/own-rules.ts";
import type { PlatformRecord, ServerRecord, ServicePlace, SiteRecord } from "../model/records.ts";
import { isApi } from "../model/records.ts";
import type { Reference } from "../model/text.ts";
import type { BoundService, Members, Planning } from "../contracts/planning.ts";

/** What a site has once, wherever its pages are served. */
export interface CommonParts {
  readonly site: SiteRecord;
  readonly platform: PlatformRecord;
  readonly definition: PlatformDefinition;
  /** What keeps something for it, by kind. */
  readonly backing: ReadonlyMap<string, Backing>;
}

/** A site with everything that serves it: what all tasks on a site start from. Plain data: of a head whose view is changed, another site's. */
export interface SiteParts extends CommonParts {
  /** Where its pages are served: one, or each member of a cluster. */
  readonly heads: readonly [SiteHead, ...SiteHead[]];
}

/** A web head: a site on one of the servers that serve its pages. */
export interface SiteHead extends CommonParts {
  readonly server: ServerRecord;
  readonly http: BoundService<HttpRole>;
  readonly httpView: ServerView;
  /** What runs its code; null for a folder of files. */
  readonly runtime: { readonly title: string; readonly role: RuntimeRole; readonly view: ServerView } | null;
  /** Has it nothing of the site yet? Then it gets its first content. */
  readonly isNew: boolean;
  /** Of several, one that has joined does not serve the site before it was verified. */
  readonly isServing: boolean;
  /** The site as this head has it: with sockets of its own, and its own way to what the site is bound to. */
  readonly view: SiteView;
}

/** A service that keeps something for a site. */
export interface Backing<Role extends BackingRole = BackingRole> {
  /** Of its kind: `database`. */
  readonly title: string;
  readonly service: BoundService<Role>;
  readonly view: ServerView;
  readonly request: BindingRequest;
}

export function sitePaths(id: string): SitePaths {
  const home = `/srv/sites/${id}`;
  return { home, conf: `${home}/conf`, public: `${home}/public`, private: `${home}/private`, tmp: `${home}/tmp` };
}

export function siteSecret(site: Pick<SiteRecord, "id" | "domain">, name: string, label: string): Reference {
  return { ref: "secret", id: `site/${site.id}/${name}`, label: `${label} of ${site.domain}`, generate: "password" };
}

/** What a site asks of its service of that kind; `webHeads` are the addresses of its web heads as that service sees them. */
export function bindingRequest(
  site: Pick<SiteRecord, "id" | "domain">,
  kind: string,
  webHeads: BindingRequest["webHeads"],
): BindingRequest {
  const password = siteSecret(site, `${kind}-password`, `${kind} password`);
  return { siteId: site.id, domain: site.domain, password, webHeads };
}

/** Null for a site without a database. */
export function databaseOf({ backing }: CommonParts): Backing<DatabaseRole> | null {
  // Plugins were judged by their kind when they were loaded.
  return (backing.get("db") as Backing<DatabaseRole> | undefined) ?? null;
}

/**
 * A site as its record says, or would say: of a changed record these are the parts of the changed site. Reads the facts of
 * its servers, once per planning. @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE, HW_SERVICE_MISSING, HW_NOT_FOUND,
 * HW_SERVER_CLAIMED, HW_SSH_UNREACHABLE, HW_RECORD_IN_USE (its cluster has changed, and was not verified since; `partly`:
 * who has joined may lack the site) ...
 */
export async function siteParts(
  context: Planning,
  site: SiteRecord,
  wanted: { readonly partly: boolean } = { partly: false },
): Promise<SiteParts> {
  // A record that nobody can read is refused by it, before anything is taken from it.
  context.inventory.siteDefinition(site);
  const [first, ...others] = placementsOf(context, context.inventory.platform(site.platform));
  const servers = [first, ...others, ...serversOf(context, site)];
  await Promise.all(servers.map(async (server) => context.facts(server)));
  const common = await commonParts(context, site);
  const head = async (server: ServerRecord): Promise<SiteHead> => headOf(context, common, server);
  const parts: SiteParts = { ...common, heads: [await head(first), ...(await Promise.all(others.map(head)))] };
  await requireSettled(context, parts, wanted);
  return parts;
}

/** Without its heads. @throws as `siteParts` */
export async function commonParts(context: Planning, site: SiteRecord): Promise<CommonParts> {
  const { inventory } = context;
  const platform = inventory.platform(site.platform);
  const definition = inventory.siteDefinition(site);
  const servers = placementsOf(context, platform);
  const backing = new Map<string, Backing>();
  for (const [kind, place] of Object.entries(site.bindings)) {
    const { title, role } = inventory.kind(kind) ?? { title: kind, role: "backing" };
    if (place === undefined || kind === "http" || role === "runtime") continue;
    backing.set(kind, await bound(context, { site, servers, kind, title, place }));
  }
  return { site, platform, definition, backing };
}

/** The site on one of the servers that serve it. @throws as `siteParts` */
export async function headOf(context: Planning, common: CommonParts, server: ServerRecord): Promise<SiteHead> {
  const { site, platform, definition, backing } = common;
  const { inventory } = context;
  const http = inventory.service(server, "http", site.bindings.http.service);
  const paths = sitePaths(site.id);
  const platformView = viewPlatform(platform, definition);
  const seed: SiteSeed = { id: site.id, paths, platform: platformView, options: site.options };
  let [runtime, runtimeView]: [SiteHead["runtime"], RuntimeView | null] = [null, null];
  for (const [kind, place] of Object.entries(site.bindings)) {
    const known = inventory.kind(kind);
    if (place === undefined || known?.role !== "runtime") continue;
    // Plugins were judged by their kind when they were loaded.
    const service = inventory.service(server, kind, place.service) as BoundService<RuntimeRole>;
    runtime = { title: known.title, role: service.role, view: await context.viewOf(service) };
    runtimeView = viewRuntime(kind, service.role, definition, seed);
  }
  const bindings = [...backing].map(([kind, { service, request, view }]): readonly [string, Binding] => {
    return [kind, service.role.binding(request, view, addressFrom(server, service.server))];
  });
  const view: SiteView = {
    id: site.id,
    domain: site.domain,
    aliases: site.aliases,
    aliasMode: site.aliasMode,
    enabled: site.enabled,
    user: site.id,
    uid: site.uid,
    paths,
    platform: platformView,
    options: site.options,
    title: site.title,
    adminEmail: site.adminEmail,
    adminUser: site.adminUser,
    limits: site.limits,
    binds: definition.role.binds(seed),
    rules: definition.role.webRules(seed),
    ownRules: site.webRules ?? NO_OWN_RULES,
    passwordFile: `${paths.conf}/web-passwords`,
    bindings: Object.fromEntries(bindings),
    runtime: runtimeView,
    webUser: http.role.webUser,
    secret: (name, label) => siteSecret(site, name, label),
  };
  const standing = await headStanding(context, common, server);
  return { ...common, server, http, httpView: await context.viewOf(http), runtime, view, ...standing };
}

/** Of several heads one may have joined since; a site that is made has nothing anywhere. */
async function headStanding(
  context: Planning,
  common: CommonParts,
  server: ServerRecord,
): Promise<Pick<SiteHead, "isNew" | "isServing">> {
  const { site, platform } = common;
  if (site.status === "draft") return { isNew: true, isServing: false };
  if (platform.server === server.id) return { isNew: false, isServing: true };
  return standingOf(context, common, server);
}

/** Where a site keeps something. */
export function serversOf({ inventory }: Planning, { bindings }: Pick<SiteRecord, "bindings">): ServerRecord[] {
  const ids = Object.values(bindings).flatMap((place) => place?.server ?? []);
  return [...new Set(ids)].map((id) => inventory.server(id));
}

interface Bound {
  readonly site: SiteRecord;
  /** Its web heads. */
  readonly servers: Members;
  readonly kind: string;
  readonly title: string;
  readonly place: ServicePlace;
}

async function bound(context: Planning, { site, servers, kind, title, place }: Bound): Promise<Backing> {
  const server = place.server === undefined ? servers[0] : context.inventory.server(place.server);
  const service = context.inventory.service(server, kind, place.service) as BoundService<BackingRole>;
  const view = await context.viewOf(service);
  const request = bindingRequest(site, kind, [...new Set(servers.map((web) => addressFrom(web, server) ?? "local"))]);
  return { title, service, view, request };
}

/** From where a web head reaches another server; null: they are the same. @throws HW_INPUT_INVALID */
function addressFrom(web: ServerRecord, server: ServerRecord): string | null {
  if (isApi(server)) return web.addresses[0] ?? web.name;
  const address = server.id === web.id ? null : web.addresses[0];
  if (address !== undefined && (address === null || server.addresses[0] !== undefined)) return address;
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `${web.name} and ${server.name} need addresses at which they reach each other. Nothing was changed.`,
    { remedy: "Put `addresses` on both server records." },
  );
}

function viewRuntime(
  kind: string,
  role: RuntimeRole,
  { role: platform }: PlatformDefinition,
  seed: SiteSeed,
): RuntimeView {
  const main = platform.main?.(seed);
  return {
    kind,
    protocol: role.protocol,
    socket: role.socket(seed.id),
    main: main === undefined ? null : `${seed.platform.root}/${main}`,
  };
}

function viewPlatform(platform: PlatformRecord, definition: PlatformDefinition): PlatformView {
  const { docroot } = definition.role.layout;
  return {
    id: platform.id,
    name: platform.name,
    type: platform.type,
    root: platform.root,
    docroot: docroot === "." ? platform.root : `${platform.root}/${docroot}`,
    options: platform.options,
  };
}
