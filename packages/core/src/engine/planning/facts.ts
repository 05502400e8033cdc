import type { Claim, FactsWanted, ServerFacts } from "../../contracts/facts.ts";
import type { FactProbe } from "../../contracts/plugin.ts";
import { HostwrightError, toHostwrightError } from "../../errors/hostwright-error.ts";
import type { ServerRecord, ServiceRecord } from "../../model/records.ts";
import { isApi } from "../../model/records.ts";
import { problemOf } from "../plugins/stored-options.ts";
import { runBatch, type BatchResult } from "../sessions/batch.ts";
import { CLAIM_FILE, parseClaim } from "../sessions/claim.ts";
import { FENCE_FOLDER } from "../sessions/fence.ts";
import type { Session } from "../sessions/session.ts";
import type { IdRange } from "./drafts.ts";
import type { LoadedInventory } from "./loaded-inventory.ts";
import { IDS_IN_USE, parseStanding, STANDING } from "./standing.ts";
import { httpRole } from "../plugins/http-role.ts";

type OwnFacts = Readonly<Record<string, unknown>>;

/** What was read of a server in one round trip, and what only planning itself knows of it. */
export interface ReadFacts extends ServerFacts {
  /** Whose server it is; null: nobody's yet. */
  readonly claim: Claim | null;
  /** Numbers of users, groups and owners of sites' folders in the range of sites; empty unless what is taken was asked for. */
  readonly usedIds: ReadonlySet<number>;
}

export interface FactsParts {
  readonly session: Session;
  readonly inventory: LoadedInventory;
  readonly uids: IdRange;
}

const PACKAGES = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n"];
const CLAIM = ["cat", `${FENCE_FOLDER}/${CLAIM_FILE}`];

/** Reads all facts of all services of a server, its packages and its claim, and what else is wanted. */
export async function readFacts(
  { session, inventory, uids }: FactsParts,
  server: ServerRecord,
  wanted: FactsWanted,
): Promise<ReadFacts> {
  const [target] = await Promise.all([session.target(server), inventory.meet(server)]);
  const services = inventory.services(server);
  const asked: (readonly string[])[] = [];
  const ask = (argv: readonly string[]): number => asked.push(argv) - 1;
  const failed = new Map<string, HostwrightError>();
  const facts = services.map(({ record, definition }) => {
    const probes = attempt(failed, server, record, () => Object.entries(definition.facts(record.options))) ?? [];
    return { record, probes: probes.map(([name, probe]) => ({ name, probe, at: ask(probe.argv) })) };
  });
  const serving = services.filter(({ serves }) => serves);
  const packages = [
    ...new Set(
      services.flatMap(
        ({ record, definition }) => attempt(failed, server, record, () => definition.packages(record.options)) ?? [],
      ),
    ),
  ];
  const packagesAt = ask([...PACKAGES, ...packages]);
  const dumps =
    wanted.taken === true
      ? serving.flatMap(({ record, definition }) => {
          const role = httpRole(definition);
          return role === null ? [] : [{ record, role, at: ask(role.dump) }];
        })
      : [];
  const claimAt = ask(CLAIM);
  const idsAt = wanted.taken === true ? ask([...IDS_IN_USE, String(uids.from), String(uids.to)]) : null;
  const standingAt = wanted.standing === true ? ask([...STANDING, String(uids.from), String(uids.to)]) : null;
  // An API has nothing that could be asked so.
  const results = isApi(server) ? [] : await runBatch(target, asked);
  const said = (at: number | null): string => (at === null ? "" : (results[at]?.stdout ?? ""));

  const own = new Map<string, OwnFacts>();
  for (const { record, probes } of facts) {
    const read = attempt(failed, server, record, () => factsFrom(probes, results));
    if (read !== null) own.set(record.name, read);
  }
  const of = (service: ServiceRecord): OwnFacts => {
    const error = failed.get(service.name);
    if (error !== undefined) throw error;
    return own.get(service.name) ?? {};
  };
  const judged = serving.flatMap(({ record, definition }) =>
    failed.has(record.name)
      ? []
      : (attempt(failed, server, record, () => definition.problems(inventory.serverView(server, record, of(record)))) ??
        []),
  );
  const servedNames = dumps.flatMap(
    ({ record, role, at }) => attempt(failed, server, record, () => role.servedNames(said(at))) ?? [],
  );
  const installed = new Set(
    said(packagesAt)
      .split("\n")
      .filter((line) => line.startsWith("installed "))
      .map((line) => line.slice("installed ".length)),
  );
  return {
    claim: parseClaim(said(claimAt)),
    of,
    missingPackages: isApi(server) ? [] : packages.filter((name) => !installed.has(name)),
    problems: [...inventory.unfitServices(server).map(problemOf), ...[...failed.values()].map(problemOf), ...judged],
    servedNames,
    usedIds: new Set(said(idsAt).split("\n").filter(Boolean).map(Number)),
    standing: parseStanding(said(standingAt)),
  };
}

function factsFrom(
  probes: readonly { readonly name: string; readonly probe: FactProbe; readonly at: number }[],
  results: readonly BatchResult[],
): OwnFacts {
  return Object.fromEntries(
    probes.flatMap(({ name, probe, at }) => {
      const result = results[at];
      return result === undefined ? [] : [[name, probe.parse(result)]];
    }),
  );
}

/** One service's facts that nobody can read are no other service's hindrance. */
function attempt<T>(
  failed: Map<string, HostwrightError>,
  server: ServerRecord,
  service: Pick<ServiceRecord, "name" | "kind" | "type">,
  work: () => T,
): T | null {
  try {
    return work();
  } catch (cause) {
    const { code, message } = toHostwrightError(cause);
    const error = new HostwrightError(
      code,
      `The facts of ${service.kind} service ${service.name} (${service.type}) of ${server.name} could not be judged: ${message}`,
      {
        cause,
        server: server.name,
        remedy: "Look whether it is installed and answers; else report it with its plugin's name.",
      },
    );
    failed.set(service.name, error);
    return null;
  }
}
