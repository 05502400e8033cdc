import type { ServerRecord } from "../../model/records.ts";
import type { Session } from "../sessions/session.ts";
import { runBatch } from "../sessions/batch.ts";
import type { Estate } from "./estate.ts";
import { problemOf } from "../plugins/stored-options.ts";
import type { HttpRole } from "../../contracts/roles/http.ts";
import type { HeldName } from "../../contracts/roles/http.ts";
import type { Problem } from "../../contracts/plugin.ts";

/** What was read of a server in one round trip. */
export interface ServerFacts {
  /** By service name, then fact name. */
  readonly services: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Packages that services need and that are not installed. */
  readonly missingPackages: readonly string[];
  readonly problems: readonly Problem[];
  /** Names that the web server serves from foreign files; empty unless they were asked for. */
  readonly heldNames: readonly HeldName[];
}

const PACKAGES = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n"];

/** Reads all facts of all services of a server, its packages and, if asked, the names that its web server holds. */
export async function readFacts(
  session: Session,
  estate: Estate,
  server: ServerRecord,
  options: { readonly heldNames: boolean },
): Promise<ServerFacts> {
  const target = await session.target(server);
  const services = estate.fitServices(server);
  const probes = services.flatMap(({ record, definition }) =>
    Object.entries(definition.facts(record.options)).map(([name, probe]) => ({ service: record.name, name, probe })),
  );
  const serving = estate.servingServices(server);
  const wanted = [...new Set(services.flatMap(({ record, definition }) => definition.packages(record.options)))];
  const dumps = options.heldNames
    ? serving.flatMap(({ definition }) => (definition.kind === "http" ? [definition.role] : []))
    : [];
  const commands = [
    ...probes.map(({ probe }) => probe.argv),
    [...PACKAGES, ...wanted],
    ...dumps.map((role: HttpRole) => role.dump),
  ];
  const results = await runBatch(target, commands);

  const facts = new Map<string, Record<string, unknown>>(server.services.map((service) => [service.name, {}]));
  probes.forEach(({ service, name, probe }, index) => {
    const result = results[index];
    const own = facts.get(service);
    if (result !== undefined && own !== undefined) own[name] = probe.parse(result);
  });
  const installed = new Set(
    (results[probes.length]?.stdout ?? "")
      .split("\n")
      .filter((line) => line.startsWith("installed "))
      .map((line) => line.slice("installed ".length)),
  );
  return {
    services: facts,
    missingPackages: wanted.filter((name) => !installed.has(name)),
    problems: [
      ...estate.unfitServices(server).map(problemOf),
      ...serving.flatMap(({ record, definition }) =>
        definition.problems(estate.serverView(server, record, facts.get(record.name) ?? {})),
      ),
    ],
    heldNames: dumps.flatMap((role, index) => role.heldNames(results[probes.length + 1 + index]?.stdout ?? "")),
  };
}
