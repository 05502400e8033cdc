import type { PlatformRecord, ServerRecord, ServiceRecord, SiteRecord } from "../model/records.ts";
import type { PlatformDefinition, ServiceDefinition, ServiceKind, ServiceRoles } from "./definitions.ts";
import type { FactsWanted, ServerClaim, ServerFacts } from "./facts.ts";
import type { Declared, Removal, Target } from "./resource.ts";
import type { ResourceHold } from "./store.ts";
import type { Publication } from "./publication.ts";
import type { ServerView } from "./views.ts";

/** The contracts of core's own kinds of service. */
export interface CoreKinds {
  readonly http: ServiceRoles["http"];
  readonly php: ServiceRoles["runtime"];
  readonly db: ServiceRoles["database"];
  readonly cache: ServiceRoles["cache"];
}

/** What core asks of the services of a kind; of one that is not core's own, any of its contracts. */
export type RoleOf<Kind extends string> = Kind extends keyof CoreKinds
  ? CoreKinds[Kind]
  : ServiceRoles[keyof ServiceRoles];

/** A service on a server's record, with what its plugin says of it. */
export interface BoundService<Role = ServiceRoles[keyof ServiceRoles]> {
  readonly server: ServerRecord;
  readonly record: ServiceRecord;
  readonly definition: ServiceDefinition;
  readonly role: Role;
  /** npm name of the plugin that brings it. */
  readonly plugin: string;
  /** False of an http service that waits for a switch: another one serves the server's sites. */
  readonly serves: boolean;
}

/** At least one server. */
export type Members = readonly [ServerRecord, ...ServerRecord[]];

/** The records of the installation, as they were when the planning began, and what the loaded plugins make of them; by name or id. */
export interface Inventory {
  readonly servers: readonly ServerRecord[];
  readonly platforms: readonly PlatformRecord[];
  /** @throws HW_NOT_FOUND */
  server(idOrName: string): ServerRecord;
  findServer(idOrName: string): ServerRecord | null;
  /** The members of a cluster, the first one first; of any other server that alone. @throws HW_NOT_FOUND for a member without a record */
  members(server: ServerRecord): Members;
  /** @throws HW_NOT_FOUND */
  platform(idOrName: string): PlatformRecord;
  findPlatform(idOrName: string): PlatformRecord | null;
  /** By id, main domain or alias; one that is installed, or being made. @throws HW_NOT_FOUND */
  site(idOrName: string): Promise<SiteRecord>;
  findSite(idOrName: string): Promise<SiteRecord | null>;
  /** Those that stand on that server; on a member also those of its clusters. */
  platformsOn(serverId: string): readonly PlatformRecord[];
  /** Installed ones, whose pages are served there; of a member also those of its clusters. */
  sitesOnServer(serverId: string): Promise<readonly SiteRecord[]>;
  /** Installed ones that keep something with a service of that server. */
  sitesBoundTo(serverId: string): Promise<readonly SiteRecord[]>;
  /** Those that are being made or removed, too. */
  sitesOnPlatform(platformId: string): Promise<readonly SiteRecord[]>;
  /** Of the record that the plan is made from, which a change of it expects; 0 when there was none. */
  version(id: string): number;
  /** Null of a kind that no loaded plugin brings. */
  kind(name: string): ServiceKind | null;
  /** Those of a server that the loaded plugins can use. */
  services(server: ServerRecord): readonly BoundService[];
  /**
   * The one of that name. Default: the first of its kind, of `http` the one that serves.
   * @throws HW_SERVICE_MISSING, HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE
   */
  service<Kind extends string>(server: ServerRecord, kind: Kind, name?: string): BoundService<RoleOf<Kind>>;
  /** @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE */
  platformDefinition(platform: PlatformRecord): PlatformDefinition;
  /** Of the platform that a site is on. @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE, also of the site's own options */
  siteDefinition(site: SiteRecord): PlatformDefinition;
}

/** Chooses among what is registered on a server: all that one of these chooses. */
export interface RegisteredQuery {
  /** `server/<id>`, `platform/<id>`, `site/<id>`: all of theirs. Default: nobody's. */
  readonly owners?: readonly string[];
  /** By their addresses, whoever has them. Default: none. */
  readonly resources?: readonly Pick<ResourceHold, "type" | "key">[];
  /** Of sites and platforms that have no record any longer. Default: false. */
  readonly orphans?: boolean;
  /** Of all sites and platforms that have a record, but not of these owners. Default: of none. */
  readonly allBut?: readonly string[];
}

/** One owner's hold on a resource. */
export interface Registered extends ResourceHold {
  /** Does a loaded plugin bring its type? What none knows is left as it stands. */
  readonly known: boolean;
  /** Of its type; null where no loaded plugin brings that. */
  readonly removal: Removal | null;
}

/** What `preview` gives back: all that a person needs to read and approve a plan. Holds references, never secrets. */
export interface PreviewValue {
  /** With `hash` what is submitted to run it. */
  readonly plan: string;
  readonly hash: string;
  readonly title: string;
  /** Every action with its diff, and every child by its title. */
  readonly text: string;
  /** True when everything stands as wanted. */
  readonly empty: boolean;
  /** ISO 8601, UTC; 24 hours later. */
  readonly expiresAt: string;
}

/**
 * What a task plans with. All of it reads; what is kept of a planning beside its plan (`drawSite`, `preview`) goes with it
 * when it is refused. It has no secret in clear.
 */
export interface Planning {
  /** Id of the task that is planned. */
  readonly task: string;
  /** Aborted when nobody waits for the plan any longer. */
  readonly signal: AbortSignal;
  readonly inventory: Inventory;
  /** What was read of a server, once per planning. @throws HW_SERVER_CLAIMED when another installation has it */
  facts(server: ServerRecord, wanted?: FactsWanted): Promise<ServerFacts>;
  /** What a service's role is asked with: its server, with its facts. @throws as `facts`, and HW_INTERNAL as `ServerFacts.of` */
  viewOf(service: Pick<BoundService, "server" | "record">): Promise<ServerView>;
  /** A server to be read from; whoever changes it is refused. */
  target(server: ServerRecord): Promise<Target>;
  /** Whose a server is; for once not refused where it is another's. */
  claimOf(server: ServerRecord): Promise<ServerClaim>;
  /** What is registered on a server. */
  registered(server: ServerRecord, query: RegisteredQuery): Promise<readonly Registered[]>;
  /** The address under which a declared resource is registered. @throws HW_PLUGIN_MISSING */
  keyOf(declared: Declared): string;
  /** Entries that the last publication of a service left out, each with the reason. */
  quarantined(
    server: ServerRecord,
    publication: Publication,
  ): Promise<readonly { readonly name: string; readonly reason: string }[]>;
  /** Is there a secret of that id (`site/<id>/<name>`), and can it be opened? */
  hasSecret(id: string): Promise<boolean>;
  /** The site that an earlier planning of this task has drawn; null where there was none. */
  drawnSite(): Promise<SiteRecord | null>;
  /**
   * Gives a new site its id and a unix id that is in use on none of its web servers; both stay this task's, and are given out
   * to nobody else. One a task, which its draft reserves: see `newSite`. @throws HW_HOST_UNSUPPORTED when all were given out
   */
  drawSite(wanted: Omit<SiteRecord, "id" | "uid" | "status">): Promise<SiteRecord>;
  /** Plans another request, one of those that this task stands for, and keeps the plan to be approved. */
  preview(request: { readonly type: string }): Promise<PreviewValue>;
}
