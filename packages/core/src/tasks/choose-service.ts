import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Need } from "../contracts/platform.ts";
import type { ServiceKind } from "../contracts/plugin.ts";
import type { Members, Planning } from "../contracts/planning.ts";
import { namesOf } from "../model/names-of.ts";
import type { PlatformRecord, ServerRecord, ServicePlace, ServiceRecord } from "../model/records.ts";

/** What a site that is to have a service of a kind asks for. */
export interface ServiceAsked {
  readonly kind: string;
  /** `server` or `server:service`; undefined: nothing was asked for. */
  readonly wanted: string | undefined;
  /** Of the platform; undefined: its sites have none of that kind. */
  readonly need: Need | undefined;
  readonly platform: PlatformRecord;
  /** On which the site's pages are served: the members of a cluster, else one. */
  readonly heads: Members;
}

interface Offer {
  readonly server: ServerRecord;
  readonly record: ServiceRecord;
  readonly fits: boolean;
}

/**
 * The service of a new site for one kind: the one asked for, else the web server's own, else the only one that goes with the
 * platform. A runtime is the web server's: of a cluster each member has one of that name. Null for a site without.
 * @throws HW_INPUT_INVALID, HW_SERVICE_UNFIT, HW_SERVICE_MISSING, HW_NOT_FOUND, HW_PLUGIN_MISSING
 */
export function chooseService(context: Planning, asked: ServiceAsked): ServicePlace | null {
  const { inventory } = context;
  const { kind, wanted, need, platform, heads } = asked;
  const known = inventory.kind(kind);
  if (known === null || need === undefined) {
    if (wanted === undefined) return null;
    throw need === undefined ? usesNone(platform, known?.title ?? kind) : unknownKind(platform, kind);
  }
  if (wanted === undefined && need.optional === true) return null;
  if (known.role === "runtime") return chooseRuntime(context, { ...asked, need }, known);
  const offersOf = (server: ServerRecord): readonly Offer[] =>
    inventory
      .services(server)
      .filter(({ record }) => record.kind === kind)
      .map(({ record, role }) => ({ server, record, fits: speaks(need, role) }));
  if (wanted !== undefined) {
    const [serverName = "", serviceName] = wanted.split(":");
    const server = inventory.server(serverName);
    const { record } = inventory.service(server, kind, serviceName);
    const offer = offersOf(server).find((one) => one.record.name === record.name);
    if (offer?.fits === true) return placeOf(offer);
    throw unfit(asked, known, record.type);
  }
  // What one head of several has is no nearer to the others.
  const own = heads.length === 1 ? heads.flatMap(offersOf) : [];
  const all = inventory.servers.flatMap(offersOf);
  const fitting = (own.some(({ fits }) => fits) ? own : all).filter(({ fits }) => fits);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return placeOf(only);
  if (only !== undefined) throw several(asked, known, fitting);
  const [other] = all;
  throw other === undefined ? none(asked, known) : unfit(asked, known, other.record.type);
}

/** Of several releases of a runtime the first that every head has is the servers' own choice. */
function chooseRuntime(
  { inventory }: Planning,
  asked: ServiceAsked & { readonly need: Need },
  known: ServiceKind,
): ServicePlace {
  const { kind, wanted, need, platform, heads } = asked;
  const [serverName, name] = wanted?.split(":") ?? [];
  const allowed = [platform.server, ...heads.map(({ id }) => id)];
  if (serverName !== undefined && !allowed.includes(inventory.server(serverName).id))
    throw elsewhere(platform, known, heads);
  const [first = [], ...others] = heads.map((server) =>
    inventory.services(server).filter(({ record }) => record.kind === kind && (name ?? record.name) === record.name),
  );
  const everywhere = first.filter(({ record }) =>
    others.every((own) => own.some((other) => other.record.name === record.name && speaks(need, other.role))),
  );
  const chosen = everywhere.find(({ role }) => speaks(need, role));
  if (chosen !== undefined) return { service: chosen.record.name };
  const lacking = heads.find((server) => !server.services.some((service) => service.kind === kind));
  // With its own words: a service of that name is missing, or its plugin.
  for (const server of heads) if (lacking === undefined) inventory.service(server, kind, name);
  const [other] = everywhere;
  if (other !== undefined) throw unfit(asked, known, other.record.type);
  throw noRuntime(asked, lacking ?? null);
}

function placeOf({ server, record }: Offer): ServicePlace {
  return { server: server.id, service: record.name };
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

function elsewhere(platform: PlatformRecord, { title }: ServiceKind, heads: Members): HostwrightError {
  const names = namesOf(heads.map(({ name }) => name));
  return new HostwrightError(
    "HW_INPUT_INVALID",
    `${title} runs where the pages of ${platform.name} are served, on ${names}. Nothing was changed.`,
    { remedy: `Name a service of ${names}.` },
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

function none({ kind, platform, need }: ServiceAsked, { title }: ServiceKind): HostwrightError {
  const protocols = need?.protocols === undefined ? "" : ` (${need.protocols.join(" or ")})`;
  const message = `${platform.name} needs a ${title}${protocols}, and no server offers one`;
  return new HostwrightError("HW_SERVICE_MISSING", `${message}. Nothing was changed.`, {
    remedy: `Put a ${kind} service on the record of a server, and prepare that server.`,
  });
}

/** `lacking`: the head without any; null: each has one, under names of their own. */
function noRuntime({ kind, platform, heads }: ServiceAsked, lacking: ServerRecord | null): HostwrightError {
  if (lacking === null) {
    const names = namesOf(heads.map(({ name }) => name));
    return new HostwrightError(
      "HW_SERVICE_MISSING",
      `${names} have no ${kind} service of one name, which ${platform.name} needs. Nothing was changed.`,
      { remedy: `Put a ${kind} service of the same name on the record of each.` },
    );
  }
  return new HostwrightError(
    "HW_SERVICE_MISSING",
    `${lacking.name} has no ${kind} service, which ${platform.name} needs. Nothing was changed.`,
    {
      server: lacking.name,
      remedy: `Put a ${kind} service on the record of ${lacking.name}, and prepare that server.`,
    },
  );
}

function several({ kind, platform }: ServiceAsked, { title }: ServiceKind, offers: readonly Offer[]): HostwrightError {
  const names = offers.map(({ server, record }) => `${server.name}:${record.name}`).join(", ");
  return new HostwrightError(
    "HW_SERVICE_MISSING",
    `Several services offer a ${title} for ${platform.name}: name one. Nothing was changed.`,
    { remedy: `Give bindings: { ${kind}: one of ${names} }.` },
  );
}
