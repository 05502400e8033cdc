import type { ServiceDefinition } from "../contracts/plugin.ts";
import type { ServerView } from "../contracts/views.ts";
import type { Registry } from "../engine/plugins/registry.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServerRecord } from "../model/records.ts";

/** What only one of them can have. */
interface Place {
  /** In words, as what the two of them would do. */
  readonly use: string;
  readonly remedy: string;
}

/**
 * Two services of one kind and type that have one place would be one and the same, with two names. Different types may
 * share a port: of web servers one waits for a switch. @throws HW_INPUT_INVALID
 */
export function refuseSamePlace(registry: Registry, server: ServerRecord): void {
  const known = new Map<string, string>();
  for (const service of server.services) {
    const { name, kind, type } = service;
    const view = { ...server, service, facts: {}, peers: [] };
    for (const { use, remedy } of placesOf(registry.service(kind, type), view)) {
      const key = JSON.stringify([kind, type, use]);
      const other = known.get(key);
      if (other !== undefined) {
        throw new HostwrightError(
          "HW_INPUT_INVALID",
          `server ${server.name}: its ${kind} services "${other}" and "${name}" (${type}) would both ${use}. Nothing was changed.`,
          { remedy },
        );
      }
      known.set(key, name);
    }
  }
}

function placesOf(definition: ServiceDefinition, view: ServerView): readonly Place[] {
  const place = placeOf(definition, view);
  const remedy = "Leave one of them out, or give one of them another place in its options, such as a port.";
  const listens = place === null ? [] : [{ use: `listen at ${place}`, remedy }];
  const { publication } = definition.role;
  if (publication === undefined) return listens;
  // Each would take the other's entries for leftovers, and a switch would stop what it starts.
  const { unit } = publication;
  return [...listens, { use: `be the one ${unit} of this server`, remedy: "Leave one of them out." }];
}

/** On its own machine, in words; null where options alone do not tell: planning finds out. */
function placeOf(definition: ServiceDefinition, view: ServerView): string | null {
  try {
    const { role } = definition;
    if ("port" in role) return `port ${role.port(view)}`;
    // Each site's code has a socket of its own.
    if (!("binding" in role)) return null;
    const password = { ref: "secret", id: "site/none/password", label: "password of no site" } as const;
    const request = { siteId: "none", domain: "none.invalid", password, webHeads: ["local"] } as const;
    const { host, port, socket } = role.binding(request, view, null);
    return socket ?? (port === null ? null : `${host}:${port}`);
  } catch {
    return null;
  }
}
