import type { EngineParts } from "../../engine/planning/task-engine.ts";
import {
  membersOf,
  type PlatformRecord,
  type ServerRecord,
  type ServicePlace,
  type SiteRecord,
} from "../../model/records.ts";
import { RESTORE, type StateProblem } from "./check.ts";
import { everyRecord } from "../record-access.ts";

/** What records say of each other: platforms and sites name servers, platforms and services that there are. */
export async function* missingReferences({ store }: EngineParts): AsyncGenerator<StateProblem> {
  const servers = new Map<string, ServerRecord>();
  const platforms = new Map<string, PlatformRecord>();
  for await (const server of everyRecord<ServerRecord>(store.records, "server")) servers.set(server.id, server);
  for await (const platform of everyRecord<PlatformRecord>(store.records, "platform"))
    platforms.set(platform.id, platform);

  const missing = (where: string, kind: string, id: string): StateProblem => {
    const what = `it names the ${kind} ${id}, which is not there`;
    return { code: "HW_NOT_FOUND", where, what, remedy: RESTORE };
  };
  function* place(where: string, kind: string, at: Required<ServicePlace>): Generator<StateProblem> {
    const server = servers.get(at.server);
    if (server === undefined) return void (yield missing(where, "server", at.server));
    for (const member of membersOf(server) ?? []) yield* place(where, kind, { ...at, server: member });
    if (membersOf(server) !== null) return;
    if ((server.services ?? []).some((service) => service.kind === kind && service.name === at.service)) return;
    const what = `it uses the ${kind} service "${at.service}" of ${server.name}, whose record lacks it`;
    const remedy = `Put that service on the record of ${server.name} again, with the same name.`;
    yield { code: "HW_SERVICE_MISSING", where, what, remedy };
  }

  for (const server of servers.values())
    for (const member of membersOf(server) ?? [])
      if (!servers.has(member)) yield missing(`cluster ${server.name}`, "server", member);
  for (const { name, server } of platforms.values())
    if (!servers.has(server)) yield missing(`platform ${name}`, "server", server);
  for await (const site of everyRecord<SiteRecord>(store.records, "site")) {
    if (site.status === "draft") continue;
    const where = `site ${site.domain}`;
    const platform = platforms.get(site.platform);
    if (platform === undefined) yield missing(where, "platform", site.platform);
    for (const [kind, bound] of Object.entries(site.bindings ?? {})) {
      const server = bound?.server ?? (servers.has(platform?.server ?? "") ? platform?.server : undefined);
      if (bound !== undefined && server !== undefined) yield* place(where, kind, { ...bound, server });
    }
  }
}
