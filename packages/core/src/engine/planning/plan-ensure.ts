import type { Guard } from "../../contracts/guard.ts";
import type { EnsureStep } from "../../contracts/steps.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { breathe } from "../../model/breathe.ts";
import { deepFreeze } from "../../model/canonical.ts";
import type { PlannedChange, Registration } from "./plan.ts";
import { planRemovals } from "./plan-removals.ts";
import type { StepPlanner } from "./read-present.ts";
import { inOrder } from "./resource-states.ts";
import type { SimulatedServer } from "./simulated-server.ts";
import { isSatisfied, stateHash, type Wanted } from "./wanted.ts";

export interface EnsurePlan {
  readonly changes: readonly PlannedChange[];
  readonly guards: readonly Guard[];
  readonly register: readonly Registration[];
}

/** What a step changes of its server as the steps before it leave it. */
export async function planEnsure(planner: StepPlanner, step: EnsureStep, server: SimulatedServer): Promise<EnsurePlan> {
  const { present } = server;
  server.begin();
  const changes: PlannedChange[] = [];
  const guards: Guard[] = [...(step.guards ?? [])];
  const register: Registration[] = [];
  const sorted = inOrder(planner.registry, present.wanted.get(step) ?? []);
  if (step.apart !== undefined) await leaveRefused(step, sorted, server);
  for (const item of sorted.filter(({ owner }) => !present.left.owners.has(owner))) {
    const pause = breathe();
    if (pause !== null) await pause;
    requireOwn(step, item, server);
    if (server.stands(item)) {
      server.keep(step, item);
      if (!isKnown(item, server)) register.push(registration(planner, item));
      continue;
    }
    const change = changed(planner, item, server);
    if (change.before !== null && change.holder === "nobody" && !isServers(item)) throw foreign(step, item);
    if (change.before === null) for (const guard of item.resourceType.guards?.(item.spec) ?? []) guards.push(guard);
    server.make(step, item, change);
    changes.push(change);
  }
  const removed = await planRemovals(planner, step, server);
  return { changes: [...changes, ...removed.changes], guards, register: [...register, ...removed.register] };
}

function changed(planner: StepPlanner, item: Wanted, server: SimulatedServer): PlannedChange {
  const { type, key, owner, shared, spec, resourceType } = item;
  const { shown, ...beginning } = server.beginning(item, resourceType, spec);
  return deepFreeze({
    type,
    key,
    owner,
    shared,
    ...beginning,
    after: stateHash(resourceType, item.desired, planner.fingerprint),
    spec,
    show: { before: shown, after: resourceType.showSpec(spec) },
  });
}

function isKnown({ id, owner }: Wanted, { present }: SimulatedServer): boolean {
  return (present.holders.get(id) ?? []).some((row) => row.owner === owner && row.hash !== null);
}

function registration(
  { fingerprint }: StepPlanner,
  { type, key, owner, shared, resourceType, desired }: Wanted,
): Registration {
  return { type, key, owner, shared, hash: stateHash(resourceType, desired, fingerprint), gone: false };
}

function isServers({ owner }: Wanted): boolean {
  return owner.startsWith("server/");
}

/**
 * Whose owner is left out is left out of all steps of its server, so that it stands whole: what others have is known before
 * the first of them is planned. Things that several steps declare are judged when their turn comes.
 */
export async function leaveForeign(planner: StepPlanner, server: SimulatedServer): Promise<void> {
  const { wanted } = server.present;
  const declared = new Map<string, number>();
  for (const items of wanted.values()) for (const { id } of items) declared.set(id, (declared.get(id) ?? 0) + 1);
  for (const [step, items] of wanted) {
    if (step.apart === undefined) continue;
    const alone = items.filter(({ id }) => declared.get(id) === 1);
    await leaveRefused(step, inOrder(planner.registry, alone), server);
  }
}

/** Of a step that judges each owner alone: those of whom something is others' are left out, whole. */
async function leaveRefused(step: EnsureStep, sorted: readonly Wanted[], server: SimulatedServer): Promise<void> {
  const here = new Map<string, Wanted>();
  for (const item of sorted) {
    const pause = breathe();
    if (pause !== null) await pause;
    try {
      const other = here.get(item.id);
      if (other !== undefined) refuseSecondOwner(step, item, { item: other, step });
      else requireOwn(step, item, server);
      if (other === undefined) here.set(item.id, item);
    } catch (error) {
      server.present.left.leave(step, item.owner, error);
    }
  }
}

/** @throws HW_RESOURCE_CONFLICT for what another owner has, HW_RESOURCE_FOREIGN for what stands there and is nobody's */
function requireOwn(step: EnsureStep, item: Wanted, server: SimulatedServer): void {
  const seen = server.seen(item.id);
  if (seen !== undefined) refuseSecondOwner(step, item, seen);
  const { present } = server;
  const holders = present.holders.get(item.id) ?? [];
  const other = holders.find((row) => row.owner !== item.owner && !(row.shared && item.shared));
  if (other !== undefined) throw conflict(step, item, other.owner);
  const state = present.states.get(item.id);
  if (state === undefined || holders.length > 0 || seen !== undefined || isServers(item)) return;
  // What a site finds is not its own, even where it looks just as wanted: it would go with the site one day.
  const isSites = item.owner.startsWith("site/");
  if (isSites || !isSatisfied(item.resourceType, item.desired, item.identity, state)) throw foreign(step, item);
}

/**
 * The same thing twice in one plan is fine when all want it alike and it is one owner's, or shared by all. By a later step
 * its owner may want it otherwise.
 */
function refuseSecondOwner(
  step: EnsureStep,
  item: Wanted,
  first: { readonly item: Wanted; readonly step: EnsureStep },
): void {
  const isOwn = item.owner === first.item.owner;
  const isLater = isOwn && !item.shared && step !== first.step;
  const isAlike = item.identity === first.item.identity && (isOwn || (item.shared && first.item.shared));
  if (!isLater && !isAlike) throw conflict(step, item, first.item.owner);
}

function conflict(step: EnsureStep, item: Wanted, owner: string): HostwrightError {
  const { name } = step.server;
  return new HostwrightError(
    "HW_RESOURCE_CONFLICT",
    `${item.type} ${item.key} on ${name} belongs to ${owner}; ${item.owner} cannot have it too. Nothing was changed.`,
    { server: name, data: { type: item.type, key: item.key, owner } },
  );
}

function foreign(step: EnsureStep, item: Wanted): HostwrightError {
  const { name } = step.server;
  return new HostwrightError(
    "HW_RESOURCE_FOREIGN",
    `${item.type} ${item.key} stands on ${name} already and is not Hostwright's. Nothing was changed.`,
    { server: name, data: { type: item.type, key: item.key } },
  );
}
