import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import type { Change, Target } from "../../contracts/resource.ts";
import { breathe, mapSlowly } from "../../model/breathe.ts";
import { canonicalJson } from "../../model/canonical.ts";
import type { EnsureAction, PlannedChange } from "../planning/plan.ts";
import { isSatisfied, stateHash } from "../planning/wanted.ts";
import { collectReferences } from "../../model/references.ts";
import type { Residue } from "../../model/residue.ts";
import type { Registry } from "../plugins/registry.ts";
import { addressKey, readStates, type States } from "../planning/resource-states.ts";
import type { Session } from "../sessions/session.ts";

export interface EnsureContext {
  readonly registry: Registry;
  readonly session: Session;
  readonly target: Target;
  fingerprint(text: string): string;
}

const MEANWHILE = "it was changed by somebody else meanwhile";

/** Prior states by address: what undo sets again. Holds contents, so it is sealed before it is stored. */
export type PriorStates = Readonly<Record<string, unknown>>;

/**
 * Reads what an action will change, with contents, and checks its guards. Nothing is changed. An interrupted attempt at it
 * may have made out of date what follows its own earlier changes.
 */
export async function prepareEnsure(
  context: EnsureContext,
  action: EnsureAction,
  interrupted: boolean = false,
): Promise<{ readonly todo: readonly PlannedChange[]; readonly prior: PriorStates }> {
  await context.session.loadSecrets(collectReferences(action.changes.map((change) => change.spec)));
  const present = await readStates(context.registry, context.target, action.changes, { contents: true });
  const prior: Record<string, unknown> = {};
  const todo: PlannedChange[] = [];
  for (const change of action.changes) {
    const pause = breathe();
    if (pause !== null) await pause;
    const key = addressKey(change.type, change.key);
    const state = present.get(key);
    if (state !== undefined) prior[key] = state;
    if (isAfter(context, change, state) && !isFollower(context, change)) continue;
    const follows = change.found === true || (interrupted && isFollower(context, change));
    if (hashOf(context, change, state) !== change.before && !isAfter(context, change, state) && !follows)
      throw changed(action, change);
    todo.push(change);
  }
  return { todo, prior };
}

/** The first change of a done action that does not stand as it was left; undefined when all do. */
export async function firstLost(context: EnsureContext, action: EnsureAction): Promise<PlannedChange | undefined> {
  await context.session.loadSecrets(collectReferences(action.changes.map((change) => change.spec)));
  const present = await readStates(context.registry, context.target, action.changes, { contents: true });
  // What is stopped stays visible as long as its file does, which goes later.
  const visible = action.changes.filter((change) => change.after !== null || !isFollower(context, change));
  return visible.find((change) => !isAfter(context, change, present.get(addressKey(change.type, change.key))));
}

/** Applies prepared changes in their order, one stream per run of a type. */
export async function applyEnsure(
  context: EnsureContext,
  todo: readonly PlannedChange[],
  prior: PriorStates,
): Promise<void> {
  const runs = groupRuns(todo.map((change) => ({ type: change.type, change })));
  for (const { type, changes } of runs) {
    const fresh = await freshStates(context, type, changes);
    const changing = await mapSlowly(changes, (change): readonly Change[] => {
      const key = addressKey(change.type, change.key);
      const follows = isFollower(context, change);
      const before = follows ? fresh.get(key) : prior[key];
      if (follows && isAfter(context, change, before)) return [];
      return [{ key: change.key, before: before ?? null, after: desiredState(context, change) }];
    });
    const all = changing.flat();
    if (all.length > 0) await context.registry.resourceType(type).apply(context.target, all);
  }
}

/** What earlier changes of the action made out of date is read when its own turn comes. */
async function freshStates(context: EnsureContext, type: string, changes: readonly PlannedChange[]): Promise<States> {
  const followers = changes.filter((change) => isFollower(context, change)).map(({ key }) => ({ type, key }));
  if (followers.length === 0) return new Map();
  return readStates(context.registry, context.target, followers, { contents: true });
}

/**
 * Sets prior states again, in reverse order. Compare-and-set: what is neither as this action left it nor as it was
 * before is not touched and listed.
 */
export async function undoEnsure(
  context: EnsureContext,
  action: EnsureAction,
  prior: PriorStates,
): Promise<readonly Residue[]> {
  await context.session.loadSecrets(collectReferences(action.changes.map((change) => change.spec)));
  const present = await readStates(context.registry, context.target, action.changes, { contents: true });
  const residue: Residue[] = [];
  const runs: { type: string; change: Change }[] = [];
  for (const change of action.changes.toReversed()) {
    const pause = breathe();
    if (pause !== null) await pause;
    const key = addressKey(change.type, change.key);
    const state = present.get(key);
    const before = prior[key];
    if (same(context, change, state, before)) continue;
    if (!isAfter(context, change, state) && !isFollower(context, change)) {
      residue.push(leftover(action, change, MEANWHILE));
      continue;
    }
    runs.push({ type: change.type, change: { key: change.key, before: state ?? null, after: before ?? null } });
  }
  for (const group of groupRuns(runs)) for (const left of await undoGroup(context, action, group)) residue.push(left);
  return [...residue, ...(await undoRefreshed(context, action, prior))];
}

/** What an attempt without outcome left beside its things, also beside those that it never came to. */
export async function clearEnsure({ registry, target }: EnsureContext, action: EnsureAction): Promise<void> {
  for (const [name, changes] of Map.groupBy(action.changes, (change) => change.type)) {
    await registry.resourceType(name).clear?.(
      target,
      changes.map((change) => change.key),
    );
  }
}

/** Files that were set again make what depends on them out of date once more: it takes them up last. */
async function undoRefreshed(
  context: EnsureContext,
  action: EnsureAction,
  prior: PriorStates,
): Promise<readonly Residue[]> {
  const kept = action.changes.filter(
    (change) => isFollower(context, change) && prior[addressKey(change.type, change.key)] !== undefined,
  );
  const residue: Residue[] = [];
  for (const { type, changes } of groupRuns(kept.map((change) => ({ type: change.type, change })))) {
    const fresh = await freshStates(context, type, changes);
    const again = changes.flatMap((change): Change[] => {
      const key = addressKey(change.type, change.key);
      const state = fresh.get(key);
      if (state === undefined || same(context, change, state, prior[key])) return [];
      return [{ key: change.key, before: state, after: prior[key] }];
    });
    const left = again.length === 0 ? [] : await undoGroup(context, action, { type, changes: again });
    for (const one of left) residue.push(one);
  }
  return residue;
}

/** One at a time where all together failed, so that only what really cannot be undone is left. */
async function undoGroup(
  context: EnsureContext,
  action: EnsureAction,
  group: { readonly type: string; readonly changes: readonly Change[] },
): Promise<readonly Residue[]> {
  const type = context.registry.resourceType(group.type);
  try {
    await type.apply(context.target, group.changes);
    return [];
  } catch (error) {
    if (isHostwrightError(error) && error.retryable) throw error;
    const left = { server: action.serverName, type: group.type };
    const residue: Residue[] = [];
    const present: States = await type.read(
      context.target,
      group.changes.map((change) => change.key),
      { contents: true },
    );
    for (const change of group.changes) {
      const state = present.get(change.key) ?? null;
      const now = stateText(context, group.type, state);
      if (now === stateText(context, group.type, change.after)) continue;
      // What is refreshed may stand half way; anything else is as it was left, or somebody else's now.
      if (type.refreshedBy === undefined && now !== stateText(context, group.type, change.before)) {
        residue.push({ ...left, key: change.key, reason: MEANWHILE });
        continue;
      }
      try {
        await type.apply(context.target, [{ ...change, before: state }]);
      } catch (single) {
        const reason = single instanceof Error ? single.message : String(single);
        residue.push({ ...left, key: change.key, reason });
      }
    }
    return residue;
  }
}

function groupRuns<T>(
  runs: readonly { readonly type: string; readonly change: T }[],
): { type: string; changes: T[] }[] {
  const groups: { type: string; changes: T[] }[] = [];
  for (const { type, change } of runs) {
    const last = groups.at(-1);
    if (last?.type === type) last.changes.push(change);
    else groups.push({ type, changes: [change] });
  }
  return groups;
}

function desiredState(context: EnsureContext, change: PlannedChange): unknown {
  if (change.after === null) return null;
  return context.registry.resourceType(change.type).desired(change.spec, context.session.resolve);
}

/** Read again when its turn comes: earlier changes make it out of date. */
function isFollower({ registry }: EnsureContext, { type }: PlannedChange): boolean {
  return registry.resourceType(type).refreshedBy !== undefined;
}

function isAfter(context: EnsureContext, change: PlannedChange, state: unknown): boolean {
  if (change.after === null) return state === undefined;
  if (state === undefined) return false;
  const type = context.registry.resourceType(change.type);
  const desired = desiredState(context, change);
  return isSatisfied(type, desired, canonicalJson(type.identity(desired)), state);
}

function hashOf(context: EnsureContext, change: PlannedChange, state: unknown): string | null {
  if (state === undefined || state === null) return null;
  return stateHash(context.registry.resourceType(change.type), state, context.fingerprint);
}

function same(context: EnsureContext, change: PlannedChange, a: unknown, b: unknown): boolean {
  return hashOf(context, change, a) === hashOf(context, change, b);
}

function stateText(context: EnsureContext, type: string, state: unknown): string {
  return state === null ? "absent" : canonicalJson(context.registry.resourceType(type).identity(state));
}

function changed(action: EnsureAction, change: PlannedChange): HostwrightError {
  return new HostwrightError(
    "HW_RESOURCE_CHANGED",
    `${change.type} ${change.key} on ${action.serverName} is not as it was when the plan was made. It was left as it is.`,
    { server: action.serverName, data: { type: change.type, key: change.key } },
  );
}

function leftover(action: EnsureAction, change: PlannedChange, reason: string): Residue {
  return { server: action.serverName, type: change.type, key: change.key, reason };
}
