import type { PlatformRecord, ServerRecord, ServiceRecord, SiteRecord } from "../model/records.ts";
import type { Target } from "./resource.ts";

/** The records of the installation, as they were when the planning began; by name or id. */
export interface Inventory {
  readonly servers: readonly ServerRecord[];
  readonly platforms: readonly PlatformRecord[];
  /** @throws HW_NOT_FOUND */
  server(idOrName: string): ServerRecord;
  findServer(idOrName: string): ServerRecord | null;
  /** @throws HW_NOT_FOUND */
  platform(idOrName: string): PlatformRecord;
  findPlatform(idOrName: string): PlatformRecord | null;
  /** By id, main domain or alias; one that is installed. @throws HW_NOT_FOUND */
  site(idOrName: string): Promise<SiteRecord>;
  findSite(idOrName: string): Promise<SiteRecord | null>;
  /** Installed ones, whose pages are served there. */
  sitesOnServer(serverId: string): Promise<readonly SiteRecord[]>;
  sitesOnPlatform(platformId: string): Promise<readonly SiteRecord[]>;
}

/** What a task plans with. Everything here reads; nothing changes a server. */
export interface Planning {
  /** Id of the task that is planned. */
  readonly task: string;
  readonly inventory: Inventory;
  /** What the service's plugin read of the server, once per planning. @throws HW_SERVER_CLAIMED when another installation has it */
  factsOf(server: ServerRecord, service: ServiceRecord): Promise<Readonly<Record<string, unknown>>>;
  /** A server to be read from. */
  target(server: ServerRecord): Promise<Target>;
}
