import type { Publication } from "../contracts/publication.ts";
import type { Declared } from "../contracts/resource.ts";
import type { RecordVersion } from "../contracts/store.ts";
import type { LoadedInventory } from "../engine/planning/loaded-inventory.ts";
import { recordOf } from "../engine/planning/assumed-records.ts";
import { assumedSet } from "../engine/planning/assumed-sets.ts";
import type { ServerRecord } from "../model/records.ts";
import { isApi } from "../model/records.ts";
import type { ActivateStep, EnsureStep, Owned, Phase, Step } from "../contracts/steps.ts";
import { directory } from "../resources/directory.ts";
import type { Alone } from "./alone.ts";
import type { PlanningContext } from "../engine/planning/task-type.ts";

export const DRIVER_FOLDER = "/usr/local/lib/hostwright";

/** What a server needs once for all of its services: own folders, includes, units. */
export async function serverItems(
  context: PlanningContext,
  server: ServerRecord,
  serving: ReturnType<LoadedInventory["fitServices"]> = context.inventory.servingServices(server),
  alone: Alone | null = null,
): Promise<readonly Owned[]> {
  const facts = await context.facts(server);
  const owner = `server/${server.id}`;
  const folders = [
    ...(isApi(server) ? [] : [directory({ path: "/etc/hostwright", mode: 0o755 })]),
    ...(context.inventory.isWeb(server)
      ? [
          directory({ path: "/srv/platforms", mode: 0o755 }),
          directory({ path: "/srv/sites", mode: 0o711 }),
          directory({ path: DRIVER_FOLDER, mode: 0o755 }),
        ]
      : []),
  ];
  const declare = ({ record, definition }: (typeof serving)[number]): readonly Declared[] =>
    definition.role.server(context.inventory.serverView(server, record, facts.of(record)));
  const services =
    alone === null
      ? serving.flatMap(declare)
      : (await alone.each(serving, ({ record }) => `${record.kind} service ${record.name}`, declare)).flat();
  return [...folders, ...services].map((declared) => ({ ...declared, owner }));
}

/** Of a task that is about the server itself: what its record asks for is what was planned. */
export function ofServer(
  { inventory }: PlanningContext,
  { id }: ServerRecord,
): { readonly records: readonly RecordVersion[] } {
  return { records: [recordOf(`server/${id}`, inventory.version(id))] };
}

/** Its own things, and what its services make of them. */
export async function serverSteps(context: PlanningContext, server: ServerRecord): Promise<readonly Step[]> {
  const step = await serverStep(context, server);
  return [step, ...activateServer(context, step)];
}

/** Puts in force what waits, and what steps before it change, of each of the server's services that publishes. */
export function activateServer(
  context: PlanningContext,
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
  context: PlanningContext,
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
    remove: context.inventory.unfitServices(server).length > 0 || !isWhole ? [] : [{ owners: [owner] }],
    sets: [await assumedSet(context.inventory, "http services at work on server", server.id)],
  };
}

/** The services of a server that publish, by name, of those that are at work and that somebody knows. */
export function publishersOf(
  context: PlanningContext,
  server: ServerRecord,
): readonly { readonly service: string; readonly publication: Publication }[] {
  return context.inventory.servingServices(server).flatMap(({ record, definition }) => {
    const { publication } = definition.role;
    return publication === undefined ? [] : [{ service: record.name, publication }];
  });
}
