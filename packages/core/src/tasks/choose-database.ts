import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Need } from "../contracts/platform.ts";
import type { PlanningContext } from "../engine/planning/task-type.ts";
import type { PlatformRecord, ServerRecord, ServicePlace, SiteRecord } from "../model/records.ts";

/**
 * The database service of a new site: the one asked for (`server` or `server:service`), else the web server's own, else
 * the only one that goes with the platform; null for a platform without a database.
 * @throws HW_PLATFORM_DATABASE, HW_SERVICE_MISSING, HW_NOT_FOUND
 */
export function chooseDatabase(
  context: PlanningContext,
  wanted: string | undefined,
  need: Need | undefined,
  platform: PlatformRecord,
  web: ServerRecord,
): SiteRecord["database"] {
  if (wanted === undefined && (need === undefined || need.optional === true)) return null;
  if (need === undefined) throw usesNone(platform, "database");
  const { protocols } = need;
  const { inventory } = context;
  const all = inventory.servers.flatMap((server) =>
    inventory
      .fitServices(server)
      .filter(({ definition }) => definition.kind === "db")
      .map(({ record }) => ({ server, service: inventory.database(server, record.name) })),
  );
  const goes = (entry: (typeof all)[number]): boolean => speaks(need, entry.service.role);
  if (wanted !== undefined) {
    const [serverName = "", serviceName] = wanted.split(":");
    const server = inventory.server(serverName);
    const service = inventory.database(server, serviceName);
    if (!speaks(need, service.role)) throw wrongDatabase(platform, service.record.type, protocols);
    return { server: server.id, service: service.record.name };
  }
  const own = all.filter((entry) => entry.server.id === web.id);
  const fitting = own.some(goes) ? own.filter(goes) : all.filter(goes);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return { server: only.server.id, service: only.service.record.name };
  const [other] = all;
  if (only === undefined && other !== undefined) throw wrongDatabase(platform, other.service.record.type, protocols);
  throw new HostwrightError(
    "HW_SERVICE_MISSING",
    only === undefined
      ? `${platform.name} needs a database${protocols === undefined ? "" : ` (${protocols.join(" or ")})`}, and no server offers one. Nothing was changed.`
      : `Several servers offer a database for ${platform.name}: name one. Nothing was changed.`,
    only === undefined
      ? {}
      : { remedy: `Give database: one of ${fitting.map((entry) => entry.server.name).join(", ")}.` },
  );
}

/** A further service of a site: `server` or `server:service`. @throws HW_INPUT_INVALID, HW_SERVICE_MISSING, HW_NOT_FOUND */
export function chooseCache(
  context: PlanningContext,
  wanted: string,
  need: Need | undefined,
  platform: PlatformRecord,
): ServicePlace {
  if (need === undefined) throw usesNone(platform, "cache");
  const [serverName = "", serviceName] = wanted.split(":");
  const server = context.inventory.server(serverName);
  const { record, role } = context.inventory.cache(server, serviceName);
  if (speaks(need, role)) return { server: server.id, service: record.name };
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `${platform.name} (${platform.type}) cannot use a cache of type ${record.type}. Nothing was changed.`,
    { data: { caches: need.protocols } },
  );
}

function speaks({ protocols }: Need, { protocol }: { readonly protocol: string }): boolean {
  return protocols === undefined || protocols.includes(protocol);
}

function usesNone({ name, type }: PlatformRecord, what: string): HostwrightError {
  return new HostwrightError("HW_INPUT_INVALID", `${name} (${type}) uses no ${what}. Nothing was changed.`, {
    remedy: `Ask for a site without a ${what}.`,
  });
}

function wrongDatabase(platform: PlatformRecord, type: string, protocols: readonly string[] = []): HostwrightError {
  return new HostwrightError(
    "HW_PLATFORM_DATABASE",
    `${platform.name} (${platform.type}) cannot use ${type}. Nothing was changed.`,
    { remedy: `Choose a database of type ${protocols.join(" or ")}.`, data: { databases: protocols } },
  );
}
