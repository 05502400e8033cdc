import type { Publication } from "../../contracts/publication.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { Registry } from "./registry.ts";

/** What a server's service publishes, of whatever kind it is; null where it publishes nothing, or there is no such service. */
export function findPublication(
  registry: Pick<Registry, "service">,
  { services }: Pick<ServerRecord, "services">,
  name: string,
): Publication | null {
  const record = services.find((service) => service.name === name);
  return record === undefined ? null : (registry.service(record.kind, record.type).role.publication ?? null);
}

/** The same, which must be there. @throws HW_SERVICE_MISSING */
export function publicationOf(
  registry: Pick<Registry, "service">,
  server: Pick<ServerRecord, "name" | "services">,
  name: string,
): Publication {
  const publication = findPublication(registry, server, name);
  if (publication !== null) return publication;
  const known = server.services.some((service) => service.name === name);
  const what = known ? `publishes nothing with its service "${name}"` : `has no service named "${name}"`;
  throw new HostwrightError("HW_SERVICE_MISSING", `${server.name} ${what}. Nothing was put in force.`, {
    server: server.name,
    remedy: known
      ? "Have the plugin of that service give its role a `publication`, or leave out the activation."
      : "Name a service as the server's record does.",
  });
}
