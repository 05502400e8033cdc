import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServiceDefinition } from "../contracts/plugin.ts";
import type { HttpRole } from "../contracts/roles/http.ts";
import type { PhpRole } from "../contracts/roles/php.ts";
import type { DatabaseRole } from "../contracts/roles/database.ts";
import type { RecordKind, RecordStore } from "../contracts/store.ts";
import type { ServerView, ServiceView } from "../contracts/views.ts";
import type { PlatformRecord, ServerRecord, ServiceRecord, SiteRecord } from "../model/records.ts";
import type { Registry } from "./registry.ts";

export interface BoundService<Role> {
  readonly server: ServerRecord;
  readonly record: ServiceRecord;
  readonly role: Role;
}

/** All records as they are at one moment, with what they mean for each other. Reading only. */
export class Estate {
  readonly #registry: Registry;
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
    },
  ) {
    this.#registry = registry;
    this.servers = data.servers;
    this.platforms = data.platforms;
    this.sites = data.sites;
    this.versions = data.versions;
  }

  static async load(records: RecordStore, registry: Registry): Promise<Estate> {
    const kinds: RecordKind[] = ["server", "platform", "site"];
    const lists = await Promise.all(kinds.map(async (kind) => records.list(kind)));
    const [servers = [], platforms = [], sites = []] = lists;
    return new Estate(registry, {
      servers: servers.map((row) => row.value as ServerRecord),
      platforms: platforms.map((row) => row.value as PlatformRecord),
      // A draft is known to its own task alone.
      sites: sites.map((row) => row.value as SiteRecord).filter((site) => site.status !== "draft"),
      versions: new Map(lists.flat().map((row) => [row.id, row.version])),
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

  http(server: ServerRecord, name?: string): BoundService<HttpRole> {
    return this.#service(server, "http", name) as BoundService<HttpRole>;
  }

  php(server: ServerRecord, name?: string): BoundService<PhpRole> {
    return this.#service(server, "php", name) as BoundService<PhpRole>;
  }

  database(server: ServerRecord, name?: string): BoundService<DatabaseRole> {
    return this.#service(server, "db", name) as BoundService<DatabaseRole>;
  }

  definition(service: ServiceRecord): ServiceDefinition {
    return this.#registry.service(service.kind, service.type);
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
      const webs = [...platforms].map((platform) => this.server(this.platform(platform).server));
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
    return { server, record, role: this.definition(record).role };
  }
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
