import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Need } from "../contracts/platform.ts";
import type { ServiceKind } from "../contracts/plugin.ts";
import type { Planning } from "../contracts/planning.ts";
import type { PlatformRecord, ServerRecord, ServicePlace, ServiceRecord } from "../model/records.ts";

/** What a site that is to have a service of a kind asks for. */
export interface ServiceAsked {
  readonly kind: string;
  /** `server` or `server:service`; undefined: nothing was asked for. */
  readonly wanted: string | undefined;
  /** Of the platform; undefined: its sites have none of that kind. */
  readonly need: Need | undefined;
  readonly platform: PlatformRecord;
  /** On which the site's pages are served. */
  readonly web: ServerRecord;
}

interface Offer {
  readonly server: ServerRecord;
  readonly record: ServiceRecord;
  readonly fits: boolean;
}

/**
 * The service of a new site for one kind: the one asked for, else the web server's own, else the only one that goes with the
 * platform. A runtime is the web server's. Null for a site without.
 * @throws HW_INPUT_INVALID, HW_SERVICE_UNFIT, HW_SERVICE_MISSING, HW_NOT_FOUND, HW_PLUGIN_MISSING
 */
export function chooseService(context: Planning, asked: ServiceAsked): ServicePlace | null {
  const { inventory } = context;
  const { kind, wanted, need, platform, web } = asked;
  const known = inventory.kind(kind);
  if (known === null || need === undefined) {
    if (wanted === undefined) return null;
    throw need === undefined ? usesNone(platform, known?.title ?? kind) : unknownKind(platform, kind);
  }
  if (wanted === undefined && need.optional === true) return null;
  const isRuntime = known.role === "runtime";
  const offersOf = (server: ServerRecord): readonly Offer[] =>
    inventory
      .services(server)
      .filter(({ record }) => record.kind === kind)
      .map(({ record, role }) => ({ server, record, fits: speaks(need, role) }));
  if (wanted !== undefined) {
    const [serverName = "", serviceName] = wanted.split(":");
    const server = inventory.server(serverName);
    if (isRuntime && server.id !== web.id) throw elsewhere(platform, known, web);
    const { record } = inventory.service(server, kind, serviceName);
    const offer = offersOf(server).find((one) => one.record.name === record.name);
    if (offer?.fits === true) return placeOf(offer, isRuntime);
    throw unfit(asked, known, record.type);
  }
  const own = offersOf(web);
  const all = isRuntime ? own : inventory.servers.flatMap(offersOf);
  const fitting = (own.some(({ fits }) => fits) ? own : all).filter(({ fits }) => fits);
  const [only] = fitting;
  // Of several releases of a runtime the first is the server's own choice.
  if (only !== undefined && (fitting.length === 1 || isRuntime)) return placeOf(only, isRuntime);
  if (only !== undefined) throw several(asked, known, fitting);
  const [other] = all;
  throw other === undefined ? none(asked, known, isRuntime) : unfit(asked, known, other.record.type);
}

function placeOf({ server, record }: Offer, isRuntime: boolean): ServicePlace {
  return isRuntime ? { service: record.name } : { server: server.id, service: record.name };
}

function speaks({ protocols }: Need, role: object): boolean {
  return protocols === undefined || ("protocol" in role && protocols.includes(String(role.protocol)));
}

function usesNone({ name, type }: PlatformRecord, what: string): HostwrightError {
  return new HostwrightError("HW_INPUT_INVALID", `${name} (${type}) uses no ${what}. Nothing was changed.`, {
    remedy: `Ask for a site without a ${what}.`,
  });
}

/** Only of what its sites may have: a platform that needs an unknown kind is not loaded. */
function unknownKind({ name }: PlatformRecord, kind: string): HostwrightError {
  return new HostwrightError(
    "HW_PLUGIN_MISSING",
    `Sites on ${name} may have a service of the kind "${kind}", which no loaded plugin brings. Nothing was changed.`,
    { remedy: `Load the plugin that brings the kind "${kind}".` },
  );
}

function elsewhere(platform: PlatformRecord, { title }: ServiceKind, web: ServerRecord): HostwrightError {
  return new HostwrightError(
    "HW_INPUT_INVALID",
    `${title} runs where the pages of ${platform.name} are served, on ${web.name}. Nothing was changed.`,
    { remedy: `Name a service of ${web.name}.` },
  );
}

function unfit({ kind, platform, need }: ServiceAsked, { title }: ServiceKind, type: string): HostwrightError {
  const protocols = need?.protocols ?? [];
  return new HostwrightError(
    "HW_SERVICE_UNFIT",
    `${platform.name} (${platform.type}) cannot use ${type}. Nothing was changed.`,
    { remedy: `Choose a ${title} of type ${protocols.join(" or ")}.`, data: { kind, protocols } },
  );
}

function none(
  { kind, platform, need, web }: ServiceAsked,
  { title }: ServiceKind,
  isRuntime: boolean,
): HostwrightError {
  const protocols = need?.protocols === undefined ? "" : ` (${need.protocols.join(" or ")})`;
  const message = isRuntime
    ? `${web.name} has no ${kind} service, which ${platform.name} needs`
    : `${platform.name} needs a ${title}${protocols}, and no server offers one`;
  return new HostwrightError("HW_SERVICE_MISSING", `${message}. Nothing was changed.`, {
    ...(isRuntime ? { server: web.name } : {}),
    remedy: `Put a ${kind} service on the record of ${isRuntime ? web.name : "a server"}, and prepare that server.`,
  });
}

function several({ kind, platform }: ServiceAsked, { title }: ServiceKind, offers: readonly Offer[]): HostwrightError {
  const names = offers.map(({ server, record }) => `${server.name}:${record.name}`).join(", ");
  return new HostwrightError(
    "HW_SERVICE_MISSING",
    `Several services offer a ${title} for ${platform.name}: name one. Nothing was changed.`,
    { remedy: `Give bindings: { ${kind}: one of ${names} }.` },
  );
}
