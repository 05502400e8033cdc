import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import type { PlatformDefinition, ServiceDefinition } from "../../contracts/plugin.ts";
import type { HttpRole } from "../../contracts/roles/http.ts";
import type { PhpRole } from "../../contracts/roles/php.ts";
import type { CacheRole } from "../../contracts/roles/cache.ts";
import type { DatabaseRole } from "../../contracts/roles/database.ts";
import type { RecordKind, RecordStore } from "../../contracts/store.ts";
import type { ServerView, ServiceView } from "../../contracts/views.ts";
import type { PlatformRecord, ServerRecord, ServiceRecord, SiteRecord } from "../../model/records.ts";
import type { Registry } from "../plugins/registry.ts";
import { readPlatform, readService, readSite } from "../plugins/stored-options.ts";

export interface BoundService<Role> {
  readonly server: ServerRecord;
  readonly record: ServiceRecord;
  readonly role: Role;
}

/** What keeps the loaded plugins from using a record, by id, a service's by its server's id and its name. */
type Unfit = ReadonlyMap<string, HostwrightError>;

/**
 * All records as they are at one moment, with what they mean for each other. Reading only. Options are as the loaded
 * plugins take them; a record that none can use is there all the same, and refused by whatever asks for its definition.
 */
export class Estate {
  readonly #registry: Registry;
  readonly #unfit: Unfit;
  readonly #peers = new Map<string, readonly string[]>();
  readonly servers: readonly ServerRecord[];
  readonly platforms: readonly PlatformRecord[];
  readonly sites: readonly SiteRecord[];
  readonly versions: ReadonlyMap<string, number>;

  private constructor(
    registry: Registry,
    data: {
      servers: readonly ServerRecord[];
      platforms: readonly PlatformRecord[];
      sites: readonly SiteRecord[];
      versions: ReadonlyMap<string, number>;
      unfit: Unfit;
    },
  ) {
    this.#registry = registry;
    this.#unfit = data.unfit;
    this.servers = data.servers;
    this.platforms = data.platforms;
    this.sites = data.sites;
    this.versions = data.versions;
  }

  static async load(records: RecordStore, registry: Registry): Promise<Estate> {
    const kinds: RecordKind[] = ["server", "platform", "site"];
    const lists = await Promise.all(kinds.map(async (kind) => records.list(kind)));
    const [servers = [], platforms = [], sites = []] = lists;
    const unfit = new Map<string, HostwrightError>();
    const read = <T>(key: string, record: T, reading: (record: T) => T): T => {
      try {
        return reading(record);
      } catch (error) {
        if (!isHostwrightError(error)) throw error;
        unfit.set(key, error);
        return record;
      }
    };
    const readPlatforms = platforms.map((row) =>
      read(row.id, row.value as PlatformRecord, (record) => readPlatform(registry, record)),
    );
    const byId = new Map(readPlatforms.map((platform) => [platform.id, platform]));
    return new Estate(registry, {
      servers: servers.map((row) => {
        const server = row.value as ServerRecord;
        const services = server.services.map((service) =>
          read(serviceKey(server, service), service, (record) => readService(registry, server, record)),
        );
        return { ...server, services };
      }),
      platforms: readPlatforms,
      sites: sites
        .map((row) => row.value as SiteRecord)
        // A draft is known to its own task alone.
        .filter((site) => site.status !== "draft")
        .map((site) => read(site.id, site, (record) => readSite(registry, byId.get(record.platform), record))),
      versions: new Map(lists.flat().map((row) => [row.id, row.version])),
      unfit,
    });
  }

  server(idOrName: string): ServerRecord {
    return find(this.servers, idOrName, "server");
  }

  platform(idOrName: string): PlatformRecord {
    return find(this.platforms, idOrName, "platform");
  }

  /** By id, main domain or alias. */
  site(idOrName: string): SiteRecord {
    const name = idOrName.replace(/^@/, "");
    const site = this.sites.find(
      (record) => record.id === name || record.domain === name || record.aliases.includes(name),
    );
    if (site !== undefined) return site;
    throw notFound("site", idOrName);
  }

  version(id: string): number {
    return this.versions.get(id) ?? 0;
  }

  sitesOnPlatform(platformId: string): readonly SiteRecord[] {
    return this.sites.filter((site) => site.platform === platformId && site.status === "installed");
  }

  /** Sites whose pages are served from that server. */
  sitesOnServer(serverId: string): readonly SiteRecord[] {
    const platforms = new Set(this.platforms.filter((platform) => platform.server === serverId).map((p) => p.id));
    return this.sites.filter((site) => platforms.has(site.platform) && site.status === "installed");
  }

  sitesOnDatabase(serverId: string): readonly SiteRecord[] {
    return this.sites.filter((site) => site.database?.server === serverId && site.status === "installed");
  }

  /** By its name; default: the one that serves. */
  http(server: ServerRecord, name?: string): BoundService<HttpRole> {
    return this.#service(server, "http", name ?? this.servingHttp(server)[0]) as BoundService<HttpRole>;
  }

  /** Names of the http services that serve: those of the server's sites, else the first. Others wait for a switch. */
  servingHttp(server: ServerRecord): readonly string[] {
    const all = server.services.filter((service) => service.kind === "http").map((service) => service.name);
    if (all.length < 2) return all;
    const used = new Set(this.sitesOnServer(server.id).map((site) => site.http));
    return used.size === 0 ? all.slice(0, 1) : all.filter((name) => used.has(name));
  }

  php(server: ServerRecord, name?: string): BoundService<PhpRole> {
    return this.#service(server, "php", name) as BoundService<PhpRole>;
  }

  database(server: ServerRecord, name?: string): BoundService<DatabaseRole> {
    return this.#service(server, "db", name) as BoundService<DatabaseRole>;
  }

  cache(server: ServerRecord, name?: string): BoundService<CacheRole> {
    return this.#service(server, "cache", name) as BoundService<CacheRole>;
  }

  /** Sites that are bound to a further service of that server. */
  sitesBoundTo(serverId: string): readonly SiteRecord[] {
    return this.sites.filter(
      (site) =>
        site.status === "installed" && site.bindings?.cache !== undefined && site.bindings.cache.server === serverId,
    );
  }

  /** @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE */
  definition(server: ServerRecord, service: ServiceRecord): ServiceDefinition {
    this.#require(serviceKey(server, service));
    return this.#registry.service(service.kind, service.type);
  }

  /** @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE */
  platformDefinition(platform: PlatformRecord): PlatformDefinition {
    this.#require(platform.id);
    return this.#registry.platform(platform.type);
  }

  /** Of the platform that a site is on. @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE */
  siteDefinition(site: SiteRecord): PlatformDefinition {
    const definition = this.platformDefinition(this.platform(site.platform));
    this.#require(site.id);
    return definition;
  }

  /** A draft with its options as the others have theirs. @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE */
  readDraft(draft: SiteRecord): SiteRecord {
    return readSite(this.#registry, this.platform(draft.platform), draft);
  }

  /** The services of a server that the loaded plugins can use. */
  fitServices(
    server: ServerRecord,
  ): readonly { readonly record: ServiceRecord; readonly definition: ServiceDefinition }[] {
    return server.services
      .filter((service) => !this.#unfit.has(serviceKey(server, service)))
      .map((record) => ({ record, definition: this.definition(server, record) }));
  }

  /** Those of them that work: all but http services that wait for a switch. */
  servingServices(server: ServerRecord): ReturnType<Estate["fitServices"]> {
    const http = this.servingHttp(server);
    return this.fitServices(server).filter(({ record }) => record.kind !== "http" || http.includes(record.name));
  }

  /** Why the others cannot be used. */
  unfitServices(server: ServerRecord): readonly HostwrightError[] {
    return server.services.flatMap((service) => this.#unfit.get(serviceKey(server, service)) ?? []);
  }

  /** The view of a server for one of its services, with the facts that were read for it. */
  serverView(server: ServerRecord, service: ServiceRecord, facts: Readonly<Record<string, unknown>>): ServerView {
    return {
      id: server.id,
      name: server.name,
      addresses: server.addresses,
      services: server.services.map(serviceView),
      service: serviceView(service),
      facts,
      peers: this.#peersOf(server),
    };
  }

  /** Found once a server: every site asks for its servers' views. */
  #peersOf(server: ServerRecord): readonly string[] {
    let peers = this.#peers.get(server.id);
    if (peers === undefined) {
      const platforms = new Set(this.sitesOnDatabase(server.id).map((site) => site.platform));
      // A site whose platform or server is missing is its own trouble, and not that of all others here.
      const webIds = new Set(this.platforms.filter(({ id }) => platforms.has(id)).map((platform) => platform.server));
      const webs = this.servers.filter(({ id }) => webIds.has(id));
      const others = webs.filter((web) => web.id !== server.id);
      peers = [...new Set(others.flatMap((web) => web.addresses.slice(0, 1)))];
      this.#peers.set(server.id, peers);
    }
    return peers;
  }

  #service(server: ServerRecord, kind: string, name: string | undefined): BoundService<unknown> {
    const record = server.services.find(
      (service) => service.kind === kind && (name === undefined || service.name === name),
    );
    if (record === undefined) {
      throw new HostwrightError(
        "HW_SERVICE_MISSING",
        `${server.name} has no ${kind} service${name === undefined ? "" : ` named "${name}"`}. Nothing was changed.`,
        { server: server.name },
      );
    }
    return { server, record, role: this.definition(server, record).role };
  }

  #require(key: string): void {
    const error = this.#unfit.get(key);
    if (error !== undefined) throw error;
  }
}

function serviceKey(server: ServerRecord, service: ServiceRecord): string {
  return `${server.id} ${service.name}`;
}

function serviceView(service: ServiceRecord): ServiceView {
  return { name: service.name, kind: service.kind, type: service.type, options: service.options };
}

function find<T extends { readonly id: string; readonly name: string }>(
  list: readonly T[],
  idOrName: string,
  kind: string,
): T {
  const name = idOrName.replace(/^@/, "");
  const found = list.find((record) => record.id === name || record.name === name);
  if (found !== undefined) return found;
  throw notFound(kind, idOrName);
}

function notFound(kind: string, name: string): HostwrightError {
  return new HostwrightError("HW_NOT_FOUND", `There is no ${kind} "${name.slice(0, 100)}". Nothing was changed.`);
}
