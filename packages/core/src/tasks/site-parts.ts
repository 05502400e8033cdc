import { HostwrightError } from "../errors/hostwright-error.ts";
import type { PlatformDefinition } from "../contracts/plugin.ts";
import type { SiteSeed } from "../contracts/platform.ts";
import type { DatabaseRole, DatabaseRequest } from "../contracts/roles/database.ts";
import type { HttpRole } from "../contracts/roles/http.ts";
import type { PhpRole } from "../contracts/roles/php.ts";
import type { DatabaseBinding, PlatformView, ServerView, SitePaths, SiteView } from "../contracts/views.ts";
import type { BoundService } from "../engine/estate.ts";
import type { PlatformRecord, ServerRecord, ServiceRecord, SiteRecord } from "../model/records.ts";
import type { Reference } from "../model/text.ts";
import type { PlanningContext } from "../engine/task-type.ts";

/** A site with everything that serves it, and its view: what all site tasks start from. */
export interface SiteParts {
  readonly site: SiteRecord;
  readonly platform: PlatformRecord;
  readonly definition: PlatformDefinition;
  readonly web: ServerRecord;
  readonly http: BoundService<HttpRole>;
  readonly httpView: ServerView;
  readonly php: BoundService<PhpRole>;
  readonly phpView: ServerView;
  readonly database: {
    readonly service: BoundService<DatabaseRole>;
    readonly view: ServerView;
    readonly request: DatabaseRequest;
  } | null;
  readonly view: SiteView;
}

export function sitePaths(id: string): SitePaths {
  const home = `/srv/sites/${id}`;
  return { home, conf: `${home}/conf`, public: `${home}/public`, private: `${home}/private`, tmp: `${home}/tmp` };
}

export function siteSecret(site: SiteRecord, name: string, label: string): Reference {
  return { ref: "secret", id: `site/${site.id}/${name}`, label: `${label} of ${site.domain}` };
}

export async function siteParts(context: PlanningContext, site: SiteRecord): Promise<SiteParts> {
  const { estate } = context;
  const platform = estate.platform(site.platform);
  const definition = estate.siteDefinition(site);
  const web = estate.server(platform.server);
  const http = estate.http(web, site.http);
  const php = estate.php(web, site.php);
  const paths = sitePaths(site.id);
  const stored = site.database === null ? [] : [estate.server(site.database.server)];
  await Promise.all([web, ...stored].map(async (server) => context.facts(server)));
  const platformView = viewPlatform(platform, definition);
  const seed: SiteSeed = { id: site.id, paths, platform: platformView, options: site.options };
  const database = site.database === null ? null : await databaseOf(context, site, web);
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
    database: database === null ? null : database.binding,
    phpSocket: php.role.socket(site.id),
    webUser: http.role.webUser,
    secret: (name, label) => siteSecret(site, name, label),
  };
  const [httpView, phpView] = await Promise.all([
    serverView(context, web, http.record),
    serverView(context, web, php.record),
  ]);
  return { site, platform, definition, web, http, httpView, php, phpView, database, view };
}

async function serverView(context: PlanningContext, server: ServerRecord, service: ServiceRecord): Promise<ServerView> {
  const facts = await context.facts(server);
  return context.estate.serverView(server, service, facts.services.get(service.name) ?? {});
}

async function databaseOf(
  context: PlanningContext,
  site: SiteRecord,
  web: ServerRecord,
): Promise<NonNullable<SiteParts["database"]> & { readonly binding: DatabaseBinding }> {
  const { estate } = context;
  const server = estate.server(site.database?.server ?? "");
  const service = estate.database(server, site.database?.service);
  const view = await serverView(context, server, service.record);
  const same = server.id === web.id;
  const address = web.addresses[0];
  if (!same && (address === undefined || server.addresses[0] === undefined)) {
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      `${web.name} and ${server.name} need addresses at which they reach each other. Nothing was changed.`,
      { mend: "Put `addresses` on both server records." },
    );
  }
  const request: DatabaseRequest = {
    siteId: site.id,
    domain: site.domain,
    password: siteSecret(site, "db-password", "db password"),
    webHeads: [same || address === undefined ? "local" : address],
  };
  return { service, view, request, binding: service.role.binding(request, view, same ? null : (address ?? null)) };
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
