import type { Publication } from "../../contracts/publication.ts";
import type { RegisteredResource, RegisterStore } from "../../contracts/store.ts";
import type { ServerRecord } from "../../model/records.ts";
import { filterSlowly, mapSlowly } from "../../model/breathe.ts";
import { collectReferences } from "../../model/references.ts";
import { entryAddress } from "../../plugin-kit/entries.ts";
import type { Pending } from "../publishing/publisher.ts";
import type { Registry } from "../plugins/registry.ts";
import type { Phase } from "../../contracts/steps.ts";
import { LeftOut } from "./left-out.ts";
import { addressKey, readStates, type States } from "./resource-states.ts";
import { selection } from "./selection.ts";
import type { Session } from "../sessions/session.ts";
import type { EnsureStep, Selector, Step } from "../../contracts/steps.ts";
import { isSatisfied, wantedOf, type Wanted } from "./wanted.ts";
import { findPublication } from "../plugins/publication-of.ts";

const FEW_OWNERS = 20;

export interface StepPlanner {
  readonly registry: Registry;
  readonly register: RegisterStore;
  readonly session: Session;
  /** Keyed hash of text: plans and stores never hold plain hashes of secret content (decisions.md D11). */
  fingerprint(text: string): string;
  /**
   * The version of an owner's record that the plan is made from; undefined where there is none to hold it to in that phase:
   * of what it reserves itself, of what its commit changes, after it.
   */
  version(owner: string, phase: Phase): number | undefined;
  /** Does a service's folder on the server have entries that are not in its published generation? */
  pendingPublication(server: ServerRecord, publication: Publication): Promise<Pending>;
}

/** What waits in a service's entries, as far as steps are concerned. */
export interface Waiting {
  readonly waits: boolean;
  /** Addresses of entries that were quarantined: they wait for a step that declares them. */
  readonly quarantined: ReadonlySet<string>;
}

/** What stands on one server of all that a plan's steps are about. */
export interface Present {
  readonly wanted: ReadonlyMap<EnsureStep, readonly Wanted[]>;
  readonly states: ReadonlyMap<string, unknown>;
  /** Who is left out, as it stands: see `EnsureStep.apart`. */
  readonly left: LeftOut;
  /** Registered for an owner that declares it no longer. */
  readonly dropped: readonly RegisteredResource[];
  readonly holders: ReadonlyMap<string, readonly RegisteredResource[]>;
  /** Services with entries that are not published, by name. */
  readonly pending: ReadonlyMap<string, Waiting>;
}

/** Reads in bulk: one read per resource type however many sites, and a second one for what will be shown as changed. */
export async function readPresent(planner: StepPlanner, server: ServerRecord, all: readonly Step[]): Promise<Present> {
  const { registry, session } = planner;
  const steps = all.filter((step): step is EnsureStep => step.kind === "ensure");
  const left = new LeftOut(registry, session.signal);
  await loadSecrets(session, steps, left);
  const wanted = new Map<EnsureStep, readonly Wanted[]>();
  for (const step of steps) {
    const ready = async (items: EnsureStep["items"]): Promise<readonly Wanted[]> =>
      mapSlowly(items, (item) => wantedOf(registry, item, session.resolve));
    wanted.set(step, await left.eachOwner(step, step.items, ready));
  }
  const items = [...wanted.values()].flat();
  const registered = await registeredFor(planner, server, steps, items);
  const declared = new Set(items.map((item) => `${item.id}\n${item.owner}`));
  const isSelected = selection(registry, selectorsOf(steps));
  const dropped = await filterSlowly(
    registered,
    (row) =>
      !left.owners.has(row.owner) &&
      !declared.has(`${addressKey(row.type, row.key)}\n${row.owner}`) &&
      // What only an absent plugin knows stays as it is until that is back (decisions.md D4).
      registry.findResourceType(row.type) !== undefined &&
      isSelected(row),
  );
  const target = await session.target(server);
  const read = async (list: readonly (Wanted | RegisteredResource)[], contents: boolean): Promise<States> =>
    left.readTypes(list, wanted, async (some) => readStates(registry, target, some, { contents }));
  const [states, pending] = await Promise.all([read([...items, ...dropped], false), readPending(planner, server, all)]);
  const differing = await filterSlowly(items, (item) => {
    const state = states.get(item.id);
    return state !== undefined && !isSatisfied(item.resourceType, item.desired, item.identity, state);
  });
  const shown = [...differing, ...dropped].filter(({ owner }) => !left.owners.has(owner));
  const contents = shown.length === 0 ? [] : await read(shown, true);
  return {
    wanted,
    states: new Map([...states, ...contents]),
    left,
    dropped: dropped.filter(({ owner }) => !left.owners.has(owner)),
    holders: Map.groupBy(registered, (row) => addressKey(row.type, row.key)),
    pending,
  };
}

/** All at once; only where that fails, each owner's for itself. */
async function loadSecrets(session: Session, steps: readonly EnsureStep[], left: LeftOut): Promise<void> {
  try {
    const items = steps.flatMap((step) => step.items);
    await session.loadSecrets((await mapSlowly(items, (item) => collectReferences(item.spec))).flat());
  } catch (error) {
    if (!steps.some((step) => step.apart !== undefined)) throw error;
    for (const step of steps) {
      await left.eachOwner(step, step.items, async (items) => {
        await session.loadSecrets(collectReferences(items));
        return [];
      });
    }
  }
}

/** One site's rows are a few among thousands; of a whole server's sites they are most. */
async function registeredFor(
  { register }: StepPlanner,
  server: ServerRecord,
  steps: readonly EnsureStep[],
  all: readonly Wanted[],
): Promise<readonly RegisteredResource[]> {
  const owners = [...new Set([...all.map((item) => item.owner), ...selectorsOf(steps).flatMap((one) => one.owners)])];
  return owners.length > FEW_OWNERS ? register.onServer(server.id) : register.about(server.id, owners, all);
}

function selectorsOf(steps: readonly EnsureStep[]): readonly Selector[] {
  return steps.flatMap((step) => step.remove ?? []);
}

async function readPending(
  planner: StepPlanner,
  server: ServerRecord,
  steps: readonly Step[],
): Promise<Map<string, Waiting>> {
  const names = [...new Set(steps.flatMap((step) => (step.kind === "activate" ? [step.service] : [])))];
  const pending = await Promise.all(
    names.map(async (name) => {
      const publication = findPublication(planner.registry, server, name);
      if (publication === null) return [];
      const { waits, quarantined } = await planner.pendingPublication(server, publication);
      const addresses = quarantined.map((entry) => {
        const { type, key } = entryAddress(publication, entry.name);
        return addressKey(type, key);
      });
      return [[name, { waits, quarantined: new Set(addresses) }] as const];
    }),
  );
  return new Map(pending.flat());
}
