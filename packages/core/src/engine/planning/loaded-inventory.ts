import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import type { BoundService, Inventory, Members, RoleOf } from "../../contracts/planning.ts";
import type { PlatformDefinition, ServiceKind } from "../../contracts/plugin.ts";
import type { RecordReference, RecordStore, StoredRecord } from "../../contracts/store.ts";
import { mapSlowly } from "../../model/breathe.ts";
import type { ServerView, ServiceView } from "../../contracts/views.ts";
import {
  membersOf,
  type PlatformRecord,
  type ServerRecord,
  type ServiceRecord,
  type SiteRecord,
} from "../../model/records.ts";
import type { Registry } from "../plugins/registry.ts";
import { DRAFT_VERSION } from "./drafts.ts";
import { Readings } from "./readings.ts";
import { readPlatform, readService, readSite } from "../plugins/stored-options.ts";

/** Of services that only sites of their own server use. */
const WEB_ROLES: readonly string[] = ["http", "runtime"];

const INSTALLED: readonly SiteRecord["status"][] = ["installed"];

/**
 * The records with what they mean for each other. Reading only: servers and platforms as they are at one moment, sites as
 * they are asked for, since nothing that is planned concerns them all. Options are as the loaded plugins take them; a
 * record that none can use is there all the same, and refused by whatever asks for its definition.
 */
export class LoadedInventory implements Inventory {
  readonly #records: RecordStore;
  readonly #registry: Registry;
  /** What keeps the loaded plugins from using a record, by id, a service's by its server's id and its name. */
  readonly #unfit = new Map<string, HostwrightError>();
  readonly #versions = new Map<string, number>();
  readonly #sites = new Map<string, SiteRecord>();
  readonly #peers = new Map<string, readonly string[]>();
  /** Of servers with several http services: which of them serve. */
  readonly #serving = new Map<string, readonly string[]>();
  readonly #servers: Readings<ServerRecord>;
  readonly #platforms: Readings<PlatformRecord>;

  private constructor(
    records: RecordStore,
    registry: Registry,
    servers: readonly StoredRecord[],
    platforms: readonly StoredRecord[],
  ) {
    this.#records = records;
    this.#registry = registry;
    this.#servers = new Readings(
      servers.map((row) => this.#noted(row) as ServerRecord),
      (server) => {
        const services = server.services.map((service) =>
          this.#read(serviceKey(server, service), service, (record) => readService(registry, server, record)),
        );
        return { ...server, services };
      },
    );
    this.#platforms = new Readings(
      platforms.map((row) => this.#noted(row) as PlatformRecord),
      (platform) => this.#read(platform.id, platform, (record) => readPlatform(registry, record)),
    );
  }

  get servers(): readonly ServerRecord[] {
    return this.#servers.all();
  }

  get platforms(): readonly PlatformRecord[] {
    return this.#platforms.all();
  }

  static async load(records: RecordStore, registry: Registry): Promise<LoadedInventory> {
    const [servers, platforms] = await Promise.all([records.list("server"), records.list("platform")]);
    const inventory = new LoadedInventory(records, registry, servers, platforms);
    for (const server of inventory.#servers.stored)
      if (httpNames(server).length > 1) inventory.#serving.set(server.id, await inventory.#servingOf(server));
    return inventory;
  }

  /** These servers alone: what a plan that is made already needs. */
  static async ofServers(records: RecordStore, registry: Registry, ids: Iterable<string>): Promise<LoadedInventory> {
    const rows = await Promise.all([...new Set(ids)].map(async (id) => records.get("server", id)));
    return new LoadedInventory(
      records,
      registry,
      rows.filter((row) => row !== null),
      [],
    );
  }

  server(idOrName: string): ServerRecord {
    const server = this.findServer(idOrName);
    if (server !== null) return server;
    throw notFound("server", idOrName);
  }

  findServer(idOrName: string): ServerRecord | null {
    return this.#servers.find(idOrName);
  }

  members(server: ServerRecord): Members {
    const [first = server, ...others] = membersOf(server)?.map((id) => this.server(id)) ?? [];
    return [first, ...others];
  }

  platform(idOrName: string): PlatformRecord {
    const platform = this.findPlatform(idOrName);
    if (platform !== null) return platform;
    throw notFound("platform", idOrName);
  }

  findPlatform(idOrName: string): PlatformRecord | null {
    return this.#platforms.find(idOrName);
  }

  /** By id, main domain or alias. @throws HW_NOT_FOUND */
  async site(idOrName: string): Promise<SiteRecord> {
    const site = await this.findSite(idOrName);
    if (site !== null) return site;
    throw notFound("site", idOrName);
  }

  /** The same; null when there is none. A draft is known to its own task alone. */
  async findSite(idOrName: string): Promise<SiteRecord | null> {
    const row = await this.#records.get("site", idOrName.replace(/^@/, ""));
    return row === null || (row.value as SiteRecord).status === "draft" ? null : this.#siteOf(row);
  }

  /** One that was asked for before, by its id. */
  knownSite(id: string): SiteRecord | undefined {
    return this.#sites.get(id);
  }

  /** Of the record that the plan is made from; 0 when there was none. */
  version(id: string): number {
    return this.#versions.get(id) ?? 0;
  }

  /** The same; undefined of what it was not made from. */
  knownVersion(id: string): number | undefined {
    return this.#versions.get(id);
  }

  /** Everything that is on a platform, or is being made there. */
  async sitesOnPlatform(platformId: string): Promise<readonly SiteRecord[]> {
    return this.#referring("platform", [platformId], ["installing", "installed", "deleting"]);
  }

  platformsOn(serverId: string): readonly PlatformRecord[] {
    const clusters = this.#servers.stored.filter((server) => membersOf(server)?.includes(serverId));
    const servers = new Set([serverId, ...clusters.map(({ id }) => id)]);
    const here = this.#platforms.stored.filter((platform) => servers.has(platform.server));
    return here.map((platform) => this.#platforms.of(platform));
  }

  /** Sites whose pages are served from that server. */
  async sitesOnServer(serverId: string): Promise<readonly SiteRecord[]> {
    return this.#referring("platform", idsOf(this.platformsOn(serverId)));
  }

  /** Sites that keep something with a service of that server. */
  async sitesBoundTo(serverId: string): Promise<readonly SiteRecord[]> {
    return this.#referring("server", [serverId]);
  }

  /** Whose sites keep something with the services of a server, before its views are asked for. */
  async meet(server: ServerRecord): Promise<void> {
    for (const service of server.services)
      if (!WEB_ROLES.includes(this.#registry.kind(service.kind)?.role ?? "")) await this.#meet(server, service);
  }

  async #meet(server: ServerRecord, { name }: ServiceRecord): Promise<void> {
    const key = `${server.id}/${name}`;
    if (this.#peers.has(key)) return;
    const query = { by: "service", ids: [key], status: INSTALLED } as const;
    const platforms = await this.#records.different("site", "platform", query);
    // A site whose platform or server is missing is its own trouble, and not that of all others here.
    const webIds = new Set(
      this.#platforms.stored
        .filter(({ id }) => platforms.includes(id))
        .flatMap((platform) => this.findServer(platform.server) ?? [])
        .flatMap((web) => membersOf(web) ?? web.id),
    );
    const others = this.#servers.stored.filter(({ id }) => webIds.has(id) && id !== server.id);
    this.#peers.set(key, [...new Set(others.flatMap((web) => web.addresses.slice(0, 1)))]);
  }

  kind(name: string): ServiceKind | null {
    return this.#registry.kind(name) ?? null;
  }

  service<Kind extends string>(server: ServerRecord, kind: Kind, name?: string): BoundService<RoleOf<Kind>> {
    const wanted = name ?? (kind === "http" ? this.#servingHttp(server)[0] : undefined);
    const record = server.services.find(
      (service) => service.kind === kind && (wanted === undefined || service.name === wanted),
    );
    if (record === undefined) {
      throw new HostwrightError(
        "HW_SERVICE_MISSING",
        `${server.name} has no ${kind} service${wanted === undefined ? "" : ` named "${wanted}"`}. Nothing was changed.`,
        { server: server.name },
      );
    }
    // The plugins were judged by their kind when they were loaded.
    return this.#bound(server, record) as BoundService<RoleOf<Kind>>;
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
    this.#versions.set(draft.id, DRAFT_VERSION);
    return readSite(this.#registry, this.platform(draft.platform), draft);
  }

  services(server: ServerRecord): readonly BoundService[] {
    return server.services
      .filter((service) => !this.#unfit.has(serviceKey(server, service)))
      .map((record) => this.#bound(server, record));
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
      peers: this.#peers.get(`${server.id}/${service.name}`) ?? [],
    };
  }

  async #servingOf(server: ServerRecord): Promise<readonly string[]> {
    const query = { by: "platform", ids: idsOf(this.platformsOn(server.id)), status: INSTALLED } as const;
    const used = await this.#records.different("site", "http", query);
    const all = httpNames(server);
    return used.length === 0 ? all.slice(0, 1) : all.filter((name) => used.includes(name));
  }

  async #referring(
    by: RecordReference,
    ids: readonly string[],
    status: readonly SiteRecord["status"][] = INSTALLED,
  ): Promise<readonly SiteRecord[]> {
    return mapSlowly(await this.#records.referring("site", { by, ids, status }), (row) => this.#siteOf(row));
  }

  #siteOf(row: StoredRecord): SiteRecord {
    const site = this.#noted(row) as SiteRecord;
    const platform = this.#platforms.find(site.platform) ?? undefined;
    const read = this.#read(site.id, site, (record) => readSite(this.#registry, platform, record));
    this.#sites.set(site.id, read);
    return read;
  }

  #noted({ id, version, value }: StoredRecord): unknown {
    // What was decided by the first look is held to it.
    if (!this.#versions.has(id)) this.#versions.set(id, version);
    return value;
  }

  #read<T>(key: string, record: T, reading: (record: T) => T): T {
    try {
      return reading(record);
    } catch (error) {
      if (!isHostwrightError(error)) throw error;
      this.#unfit.set(key, error);
      return record;
    }
  }

  #bound(server: ServerRecord, record: ServiceRecord): BoundService {
    this.#require(serviceKey(server, record));
    const definition = this.#registry.service(record.kind, record.type);
    const plugin = this.#registry.pluginOf(definition) ?? record.type;
    const serves = record.kind !== "http" || this.#servingHttp(server).includes(record.name);
    return { server, record, definition, role: definition.role, plugin, serves };
  }

  /** Names of the http services that serve: those of the server's sites, else the first. Others wait for a switch. */
  #servingHttp(server: ServerRecord): readonly string[] {
    return this.#serving.get(server.id) ?? httpNames(server);
  }

  #require(key: string): void {
    const error = this.#unfit.get(key);
    if (error !== undefined) throw error;
  }
}

function idsOf(records: readonly { readonly id: string }[]): readonly string[] {
  return records.map(({ id }) => id);
}

function httpNames(server: ServerRecord): readonly string[] {
  return server.services.filter((service) => service.kind === "http").map((service) => service.name);
}

function serviceKey(server: ServerRecord, service: ServiceRecord): string {
  return `${server.id} ${service.name}`;
}

function serviceView(service: ServiceRecord): ServiceView {
  return { name: service.name, kind: service.kind, type: service.type, options: service.options };
}

function notFound(kind: string, name: string): HostwrightError {
  return new HostwrightError("HW_NOT_FOUND", `There is no ${kind} "${name.slice(0, 100)}". Nothing was changed.`);
}
