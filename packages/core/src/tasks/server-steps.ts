import type { Publication } from "../contracts/publication.ts";
import type { Declared } from "../contracts/resource.ts";
import type { RecordVersion } from "../contracts/store.ts";
import type { ServerRecord } from "../model/records.ts";
import { isApi } from "../model/records.ts";
import type { ActivateStep, AssumedSet, EnsureStep, Owned, Phase, Step } from "../contracts/steps.ts";
import { directory } from "../resources/directory.ts";
import type { Alone } from "./alone.ts";
import type { BoundService, Planning } from "../contracts/planning.ts";

export const DRIVER_FOLDER = "/usr/local/lib/hostwright";

/** What a server needs once for all of its services: own folders, includes, units. */
export async function serverItems(
  context: Planning,
  server: ServerRecord,
  serving: readonly BoundService[] = context.inventory.services(server).filter(({ serves }) => serves),
  alone: Alone | null = null,
): Promise<readonly Owned[]> {
  // What the server itself refuses is refused before any of its services is judged alone.
  await context.facts(server);
  const owner = `server/${server.id}`;
  const folders = [
    ...(isApi(server) ? [] : [directory({ path: "/etc/hostwright", mode: 0o755 })]),
    ...(isWeb(context, server)
      ? [
          directory({ path: "/srv/platforms", mode: 0o755 }),
          directory({ path: "/srv/sites", mode: 0o711 }),
          directory({ path: DRIVER_FOLDER, mode: 0o755 }),
        ]
      : []),
  ];
  const declare = async (service: BoundService): Promise<readonly Declared[]> =>
    service.role.server(await context.viewOf(service));
  const services =
    alone === null
      ? await Promise.all(serving.map(declare))
      : await alone.each(serving, ({ record }) => `${record.kind} service ${record.name}`, declare);
  return [...folders, ...services.flat()].map((declared) => ({ ...declared, owner }));
}

/** Does a server serve pages, and so need what releases and sites stand on? */
function isWeb({ inventory }: Planning, { services }: ServerRecord): boolean {
  return services.some(({ kind }) => ["http", "runtime"].includes(inventory.kind(kind)?.role ?? ""));
}

/** Of a task that is about the server itself: what its record asks for is what was planned. */
export function ofServer(
  { inventory }: Planning,
  { id }: ServerRecord,
): { readonly records: readonly RecordVersion[] } {
  return { records: [{ kind: "server", id, version: inventory.version(id) }] };
}

/** Its own things, and what its services make of them. */
export async function serverSteps(context: Planning, server: ServerRecord): Promise<readonly Step[]> {
  const step = await serverStep(context, server);
  return [step, ...activateServer(context, step)];
}

/** Puts in force what waits, and what steps before it change, of each of the server's services that publishes. */
export function activateServer(
  context: Planning,
  { id, server }: Pick<EnsureStep, "id" | "server">,
  phase: Phase = "prepare",
): readonly ActivateStep[] {
  return publishersOf(context, server).map(({ service }) => ({
    kind: "activate",
    title: `put the configuration of ${service} on ${server.name} in force`,
    server,
    phase,
    service,
    of: id === undefined ? [] : [id],
  }));
}

export async function serverStep(
  context: Planning,
  server: ServerRecord,
  extra: readonly Owned[] = [],
  alone: Alone | null = null,
): Promise<EnsureStep> {
  const before = alone?.count ?? 0;
  const items = await serverItems(context, server, undefined, alone);
  const isWhole = (alone?.count ?? 0) === before;
  const owner = `server/${server.id}`;
  return {
    kind: "ensure",
    id: owner,
    title: `prepare ${server.name} for its services`,
    server,
    phase: "prepare",
    items: [...items, ...extra],
    // What a service declares whose plugin is absent, or fails, cannot be told from what nobody declares any longer.
    remove: isFit(context, server) && isWhole ? [{ owners: [owner] }] : [],
    sets: [servingSet(context, server)],
  };
}

/** Can the loaded plugins use all services of a server? */
export function isFit({ inventory }: Planning, server: ServerRecord): boolean {
  return inventory.services(server).length === server.services.length;
}

/** What whatever changes the server itself is planned from. */
export function servingSet({ inventory }: Planning, server: ServerRecord): AssumedSet {
  const http = inventory.services(server).filter(({ record, serves }) => record.kind === "http" && serves);
  const found = http.map(({ record }) => record.name);
  return { set: "http services at work on server", of: server.id, found };
}

/** The services of a server that publish, by name, of those that are at work and that somebody knows. */
export function publishersOf(
  { inventory }: Planning,
  server: ServerRecord,
): readonly { readonly service: string; readonly publication: Publication }[] {
  return inventory.services(server).flatMap(({ record, role: { publication }, serves }) => {
    return publication === undefined || !serves ? [] : [{ service: record.name, publication }];
  });
}
