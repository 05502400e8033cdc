import { HostwrightError } from "../errors/hostwright-error.ts";
import type { PlatformDefinition } from "../contracts/plugin.ts";
import type { SiteSeed } from "../contracts/platform.ts";
import type { DatabaseRole, DatabaseRequest } from "../contracts/roles/database.ts";
import type { CacheRole } from "../contracts/roles/cache.ts";
import type { HttpRole } from "../contracts/roles/http.ts";
import type { PhpRole } from "../contracts/roles/php.ts";
import type { Binding, DatabaseBinding, PlatformView, ServerView, SitePaths, SiteView } from "../contracts/views.ts";
import type { BoundService } from "../engine/planning/loaded-inventory.ts";
import { NO_OWN_RULES } from "../model/own-rules.ts";
import type { PlatformRecord, ServerRecord, ServicePlace, ServiceRecord, SiteRecord } from "../model/records.ts";
import type { Reference } from "../model/text.ts";
import type { PlanningContext } from "../engine/planning/task-type.ts";

/** A site with everything that serves it, and its view: what all site tasks start from. */
export interface SiteParts {
  readonly site: SiteRecord;
  readonly platform: PlatformRecord;
  readonly definition: PlatformDefinition;
  readonly web: ServerRecord;
  readonly http: BoundService<HttpRole>;
  readonly httpView: ServerView;
  readonly php: { readonly role: PhpRole; readonly view: ServerView } | null;
  readonly database: {
    readonly service: BoundService<DatabaseRole>;
    readonly view: ServerView;
    readonly request: DatabaseRequest;
  } | null;
  /** Further services that it is bound to, by kind. */
  readonly bindings: readonly BoundTo[];
  readonly view: SiteView;
}

export interface BoundTo {
  readonly kind: "cache";
  readonly service: BoundService<CacheRole>;
  readonly view: ServerView;
  readonly request: DatabaseRequest;
  readonly binding: Binding;
}

export function sitePaths(id: string): SitePaths {
  const home = `/srv/sites/${id}`;
  return { home, conf: `${home}/conf`, public: `${home}/public`, private: `${home}/private`, tmp: `${home}/tmp` };
}

export function siteSecret(site: SiteRecord, name: string, label: string): Reference {
  return { ref: "secret", id: `site/${site.id}/${name}`, label: `${label} of ${site.domain}`, generate: "password" };
}

export async function siteParts(context: PlanningContext, site: SiteRecord): Promise<SiteParts> {
  const { inventory } = context;
  const platform = inventory.platform(site.platform);
  const definition = inventory.siteDefinition(site);
  const web = inventory.server(platform.server);
  const http = inventory.http(web, site.http);
  const php = site.php === null ? null : inventory.php(web, site.php);
  const paths = sitePaths(site.id);
  const stored = site.database === null ? [] : [inventory.server(site.database.server)];
  const cache = site.bindings?.cache;
  if (cache !== undefined) stored.push(inventory.server(cache.server));
  await Promise.all([web, ...stored].map(async (server) => context.facts(server)));
  const platformView = viewPlatform(platform, definition);
  const seed: SiteSeed = { id: site.id, paths, platform: platformView, options: site.options };
  const database = site.database === null ? null : await databaseOf(context, site, web);
  const bindings = cache === undefined ? [] : [await cacheOf(context, site, web, cache)];
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
    database: database === null ? null : database.binding,
    bindings: Object.fromEntries(bindings.map(({ kind, binding }) => [kind, binding])),
    phpSocket: php?.role.socket(site.id) ?? null,
    webUser: http.role.webUser,
    secret: (name, label) => siteSecret(site, name, label),
  };
  const httpView = await serverView(context, web, http.record);
  const runtime = php === null ? null : { role: php.role, view: await serverView(context, web, php.record) };
  return { site, platform, definition, web, http, httpView, php: runtime, database, bindings, view };
}

async function serverView(context: PlanningContext, server: ServerRecord, service: ServiceRecord): Promise<ServerView> {
  const facts = await context.facts(server);
  return context.inventory.serverView(server, service, facts.of(service));
}

async function databaseOf(
  context: PlanningContext,
  site: SiteRecord,
  web: ServerRecord,
): Promise<NonNullable<SiteParts["database"]> & { readonly binding: DatabaseBinding }> {
  const { inventory } = context;
  const server = inventory.server(site.database?.server ?? "");
  const service = inventory.database(server, site.database?.service);
  const view = await serverView(context, server, service.record);
  const { from, request } = requestOf(site, web, server, siteSecret(site, "db-password", "db password"));
  return { service, view, request, binding: service.role.binding(request, view, from) };
}

async function cacheOf(
  context: PlanningContext,
  site: SiteRecord,
  web: ServerRecord,
  place: ServicePlace,
): Promise<BoundTo> {
  const server = context.inventory.server(place.server);
  const service = context.inventory.cache(server, place.service);
  const view = await serverView(context, server, service.record);
  const { from, request } = requestOf(site, web, server, siteSecret(site, "cache-password", "cache password"));
  return { kind: "cache", service, view, request, binding: service.role.binding(request, view, from) };
}

/** From where a site's web server reaches another one; null: they are the same. @throws HW_INPUT_INVALID */
function requestOf(
  site: SiteRecord,
  web: ServerRecord,
  server: ServerRecord,
  password: Reference,
): { readonly from: string | null; readonly request: DatabaseRequest } {
  const address = server.id === web.id ? null : web.addresses[0];
  if (address === undefined || (address !== null && server.addresses[0] === undefined)) {
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      `${web.name} and ${server.name} need addresses at which they reach each other. Nothing was changed.`,
      { remedy: "Put `addresses` on both server records." },
    );
  }
  return { from: address, request: { siteId: site.id, domain: site.domain, password, webHeads: [address ?? "local"] } };
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
