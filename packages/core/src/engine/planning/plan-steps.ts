import { collectReferences } from "../../model/references.ts";
import { breathe } from "../../model/breathe.ts";
import { deepFreeze } from "../../model/canonical.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { Guard } from "../../contracts/guard.ts";
import type { ServerRecord } from "../../model/records.ts";
import { checkGuards } from "./guards.ts";
import { assumedRecords, ownersAssumed } from "./assumed-records.ts";
import { assumedSets } from "./assumed-sets.ts";
import type { Action, PlanData, PlannedChange, Registration } from "./plan.ts";
import { needsOf } from "./needs.ts";
import { readPresent, type Present, type StepPlanner } from "./read-present.ts";
import { selection } from "./selection.ts";
import { addressKey, inOrder } from "./resource-states.ts";
import type { EnsureStep, Step } from "../../contracts/steps.ts";
import { isSatisfied, stateHash, type Wanted } from "./wanted.ts";

export type Planned = Pick<PlanData, "actions" | "needs" | "register" | "records" | "sets">;

interface EnsurePlan {
  readonly changes: readonly PlannedChange[];
  readonly guards: readonly Guard[];
  readonly register: readonly Registration[];
}

/** What the plan knows of one server: how it stands, and what its steps so far see to, by address. */
interface ServerPlan {
  readonly present: Present;
  /** Addresses that any step declares. */
  readonly declared: ReadonlySet<string>;
  readonly taken: Map<string, Wanted>;
  /** With the owner for whom it is removed. */
  readonly removed: Map<string, string>;
  /** Addresses that operations of the plan move. */
  readonly moved: ReadonlySet<string>;
}

/** Turns wanted steps into the actions that are really needed: reads in bulk per server and type, diffs, orders. */
export async function planSteps(planner: StepPlanner, given: readonly Step[]): Promise<Planned> {
  const steps = inPhases(given);
  const ensures = steps.filter((step): step is EnsureStep => step.kind === "ensure");
  const perServer = Map.groupBy(ensures, (step) => step.server.id);
  const servers = new Map(
    await Promise.all(
      [...perServer].map(async ([id, list]) => {
        const [first] = list;
        return [
          id,
          first === undefined ? null : serverPlan(await readPresent(planner, first.server, list), movedOn(id, steps)),
        ] as const;
      }),
    ),
  );
  const register: PlanData["register"][number][] = [];
  const actions: { readonly action: Action; readonly incidental: boolean; readonly step: Step }[] = [];
  for (const step of steps) {
    const common = { title: step.title, server: step.server.id, serverName: step.server.name, phase: step.phase };
    if (step.kind === "run") {
      const action: Action = {
        ...common,
        kind: "run",
        ...(step.id === undefined ? {} : { id: step.id }),
        operation: step.operation,
        version: step.version ?? 1,
        input: step.input,
        ...guarded(step.guards),
        ...assumedRecords(planner, step),
      };
      actions.push({ action, incidental: step.when === "changed", step });
      continue;
    }
    const server = servers.get(step.server.id);
    if (server === undefined || server === null) continue;
    const planned = await planEnsure(planner, step, server);
    for (const row of planned.register) register.push(deepFreeze({ ...row, server: step.server.id }));
    const { changes, guards } = planned;
    const publish = changes.length > 0 || isAwaited(step, server.present) ? step.publish : null;
    if (changes.length === 0 && publish === null) continue;
    const conditions = { ...guarded(guards), ...assumedRecords(planner, step, ownersAssumed(changes)) };
    actions.push({ action: { ...common, kind: "ensure", changes, publish, ...conditions }, incidental: false, step });
  }
  const needed = actions.some((entry) => !entry.incidental) ? actions.map((entry) => entry.action) : [];
  await planner.session.loadSecrets(
    collectReferences(needed.map((action) => (action.kind === "run" ? action.input : null))),
  );
  const records = new Map(steps.map((step) => [step.server.id, step.server]));
  await checkAll(planner, needed, records);
  const needs = needsOf(planner.registry, needed, records);
  const forgotten = register.filter(({ gone }) => gone).map(({ owner }) => owner);
  const sets = needed.length === 0 ? [] : actions.flatMap(({ step }) => step.sets ?? []);
  return {
    actions: needed,
    needs,
    register,
    ...assumedRecords(planner, { phase: "prepare" }, forgotten),
    ...assumedSets(sets),
  };
}

/** As they are carried out: clean-ups come after everything else, wherever a task names them. */
export function inPhases(steps: readonly Step[]): readonly Step[] {
  return [...steps.filter(({ phase }) => phase === "prepare"), ...steps.filter(({ phase }) => phase === "clean-up")];
}

function guarded(guards: readonly Guard[] = []): { readonly guards?: readonly Guard[] } {
  return guards.length === 0 ? {} : { guards };
}

/** What cannot be done as things stand is refused before anything is changed. */
async function checkAll(
  { session }: StepPlanner,
  actions: readonly Action[],
  records: ReadonlyMap<string, ServerRecord>,
): Promise<void> {
  const guardedOnes = actions.filter((action) => action.guards !== undefined);
  await Promise.all(
    [...Map.groupBy(guardedOnes, (action) => action.server)].map(async ([id, list]) => {
      const record = records.get(id);
      if (record !== undefined) await checkGuards(await session.target(record), list, "Nothing was changed.");
    }),
  );
}

/** Does something wait for a publication? What was quarantined does for those only who declare it. */
function isAwaited(step: EnsureStep, { pending, wanted }: Present): boolean {
  const waiting = step.publish === null ? undefined : pending.get(step.publish);
  if (waiting === undefined) return false;
  return waiting.waits || (wanted.get(step) ?? []).some((item) => waiting.quarantined.has(item.id));
}

function movedOn(server: string, steps: readonly Step[]): ReadonlySet<string> {
  const moves = steps.flatMap((step) => (step.kind === "run" && step.server.id === server ? (step.moves ?? []) : []));
  return new Set(moves.map(({ type, key }) => addressKey(type, key)));
}

function serverPlan(present: Present, moved: ReadonlySet<string>): ServerPlan {
  const declared = new Set([...present.wanted.values()].flatMap((list) => list.map((item) => item.id)));
  return { present, declared, taken: new Map(), removed: new Map(), moved };
}

async function planEnsure(planner: StepPlanner, step: EnsureStep, server: ServerPlan): Promise<EnsurePlan> {
  const { present, taken } = server;
  const changes: PlannedChange[] = [];
  const guards: Guard[] = [...(step.guards ?? [])];
  const register: Registration[] = [];
  const sorted = inOrder(planner.registry, present.wanted.get(step) ?? []);
  if (step.apart !== undefined) await leaveRefused(step, sorted, server);
  const wanted = sorted.filter(({ owner }) => !present.left.owners.has(owner));
  for (const item of wanted) {
    const pause = breathe();
    if (pause !== null) await pause;
    const before = taken.get(item.id);
    if (before !== undefined && step.replaces === true && before.owner === item.owner) {
      if (before.identity === item.identity) continue;
      taken.set(item.id, item);
      changes.push(replacing(planner, before, item));
      continue;
    }
    requireOwn(step, item, before, present);
    const holders = present.holders.get(item.id) ?? [];
    const state = present.states.get(item.id);
    const { type, key, owner, shared } = item;
    const known = holders.some((row) => row.owner === owner && row.hash !== null);
    const stands = isSatisfied(item.resourceType, item.desired, item.identity, state);
    const fits = stands && !isRefreshed(item, changes);
    if (fits || (before !== undefined && !stands)) {
      if (before === undefined) taken.set(item.id, item);
      if (!known) {
        const hash = stateHash(item.resourceType, item.desired, planner.fingerprint);
        register.push({ type, key, owner, shared, hash, gone: false });
      }
      continue;
    }
    taken.set(item.id, item);
    const adopt = state !== undefined && holders.length === 0;
    if (adopt && !owner.startsWith("server/")) throw foreign(step, item);
    if (state === undefined) for (const guard of item.resourceType.guards?.(item.spec) ?? []) guards.push(guard);
    const change: PlannedChange = {
      type,
      key,
      owner,
      shared,
      before: state === undefined ? null : stateHash(item.resourceType, state, planner.fingerprint),
      after: stateHash(item.resourceType, item.desired, planner.fingerprint),
      spec: item.spec,
      adopt,
      held: holders.some((row) => row.owner === owner),
      refresh: item.resourceType.refreshedBy !== undefined,
      ...(server.moved.has(item.id) ? { moved: true as const } : {}),
      show: {
        before: state === undefined ? null : item.resourceType.showState(state, item.spec),
        after: item.resourceType.showSpec(item.spec),
      },
    };
    changes.push(deepFreeze(change));
  }
  const removed = await planRemovals(planner, step, server);
  return { changes: [...changes, ...removed.changes], guards, register: [...register, ...removed.register] };
}

/** Of a step that judges each owner alone: those of whom something is others' are left out, whole. */
async function leaveRefused(
  step: EnsureStep,
  sorted: readonly Wanted[],
  { present, taken }: ServerPlan,
): Promise<void> {
  const seen = new Map<string, Wanted>();
  for (const item of sorted) {
    const pause = breathe();
    if (pause !== null) await pause;
    try {
      requireOwn(step, item, seen.get(item.id) ?? taken.get(item.id), present);
      if (!seen.has(item.id)) seen.set(item.id, item);
    } catch (error) {
      present.left.leave(step, item.owner, error);
    }
  }
}

/** @throws HW_RESOURCE_CONFLICT for what another owner has, HW_RESOURCE_FOREIGN for what stands there and is nobody's */
function requireOwn(step: EnsureStep, item: Wanted, before: Wanted | undefined, present: Present): void {
  if (before !== undefined) refuseSecondOwner(step, item, before);
  const holders = present.holders.get(item.id) ?? [];
  const other = holders.find((row) => row.owner !== item.owner && !(row.shared && item.shared));
  if (other !== undefined) throw conflict(step, item, other.owner);
  const state = present.states.get(item.id);
  if (state === undefined || holders.length > 0) return;
  // What a site finds is not its own, even where it looks just as wanted: it would go with the site one day.
  const isSites = before === undefined && item.owner.startsWith("site/");
  const stands = isSatisfied(item.resourceType, item.desired, item.identity, state);
  if (isSites || (!stands && before === undefined && !item.owner.startsWith("server/"))) throw foreign(step, item);
}

/** From what an earlier step makes of it to what this one does. */
function replacing({ fingerprint }: StepPlanner, before: Wanted, item: Wanted): PlannedChange {
  const { type, key, owner, shared, spec, resourceType } = item;
  const refresh = resourceType.refreshedBy !== undefined;
  return {
    type,
    key,
    owner,
    shared,
    before: stateHash(resourceType, before.desired, fingerprint),
    after: stateHash(resourceType, item.desired, fingerprint),
    spec,
    adopt: false,
    held: true,
    refresh,
    ...(refresh ? { moved: true as const } : {}),
    show: { before: resourceType.showSpec(before.spec), after: resourceType.showSpec(spec) },
  };
}

async function planRemovals(
  planner: StepPlanner,
  step: EnsureStep,
  server: ServerPlan,
): Promise<Omit<EnsurePlan, "guards">> {
  const { present, declared, removed } = server;
  const changes: PlannedChange[] = [];
  const register: Registration[] = [];
  const isSelected = selection(step.remove);
  const rows = present.dropped.filter((row) => isSelected(row) && !present.left.owners.has(row.owner));
  const held = new Set(present.dropped);
  for (const row of inOrder(planner.registry, rows.toReversed()).toReversed()) {
    const pause = breathe();
    if (pause !== null) await pause;
    const { type, key, owner, shared } = row;
    const id = addressKey(type, key);
    const state = present.states.get(id);
    const kept = (present.holders.get(id) ?? []).filter((holder) => !held.has(holder));
    // Gone already, held by others still or taken up by one in this plan: only the register changes.
    if (state === undefined || kept.length > 0 || declared.has(id)) {
      register.push({ type, key, owner, shared, hash: null, gone: true });
      continue;
    }
    const first = removed.get(id);
    if (first !== undefined) {
      // Removed for one owner, forgotten for the others.
      if (first !== owner) register.push({ type, key, owner, shared, hash: null, gone: true });
      continue;
    }
    removed.set(id, owner);
    const resourceType = planner.registry.resourceType(type);
    changes.push({
      type,
      key,
      owner,
      shared,
      before: stateHash(resourceType, state, planner.fingerprint),
      after: null,
      spec: null,
      adopt: false,
      held: true,
      refresh: resourceType.refreshedBy !== undefined,
      ...(server.moved.has(id) ? { moved: true as const } : {}),
      show: { before: resourceType.showState(state), after: null },
    });
  }
  return { changes, register };
}

/** Does the plan change something on that server that makes this one out of date? */
function isRefreshed(item: Wanted, changes: readonly PlannedChange[]): boolean {
  const { refreshedBy } = item.resourceType;
  return refreshedBy !== undefined && changes.some((change) => refreshedBy(item.key, change));
}

/** The same thing twice in one plan is fine when it is declared alike by one owner, or shared by all. */
function refuseSecondOwner(step: EnsureStep, item: Wanted, first: Wanted): void {
  const alike = item.identity === first.identity && (item.owner === first.owner || (item.shared && first.shared));
  if (!alike) throw conflict(step, item, first.owner);
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
