import { HostwrightError } from "../errors/hostwright-error.ts";
import type { RegisteredResource, RegisterStore } from "../contracts/store.ts";
import type { HttpRole } from "../contracts/roles/http.ts";
import type { ServerRecord } from "../model/records.ts";
import { canonicalJson } from "./canonical.ts";
import type { Action, PlanData, PlannedChange, Registration } from "./plan.ts";
import { collectReferences } from "./references.ts";
import type { AnyResourceType, Registry } from "./registry.ts";
import { addressKey, compareResources, readStates, type ResourceAddress } from "./resource-states.ts";
import type { Session } from "./session.ts";
import type { EnsureStep, Owned, Step } from "./steps.ts";

export interface StepPlanner {
  readonly registry: Registry;
  readonly register: RegisterStore;
  readonly session: Session;
  /** Keyed hash of text: plans and stores never hold plain hashes of secret content (decisions.md D11). */
  fingerprint(text: string): string;
  /** Does the server have entries that are not in its published generation? */
  pendingPublication(server: ServerRecord, role: HttpRole): Promise<boolean>;
}

export type Planned = Pick<PlanData, "actions" | "register">;

export function stateHash(type: AnyResourceType, state: unknown, fingerprint: (text: string) => string): string {
  return fingerprint(`${type.name}\n${canonicalJson(type.identity(state))}`);
}

/** Turns wanted steps into the actions that are really needed: reads in bulk per server and type, diffs, orders. */
export async function planSteps(planner: StepPlanner, steps: readonly Step[]): Promise<Planned> {
  const servers = new Map(steps.map((step) => [step.server.id, step.server]));
  const perServer = new Map(
    await Promise.all(
      [...servers.values()].map(async (server) => [server.id, await readServer(planner, server, steps)] as const),
    ),
  );
  const actions: Action[] = [];
  const register: (Registration & { server: string })[] = [];
  const taken = new Set<string>();
  for (const step of steps) {
    const common = { title: step.title, server: step.server.id, serverName: step.server.name, phase: step.phase };
    if (step.kind === "run") {
      actions.push({ ...common, kind: "run", operation: step.operation, version: 1, input: step.input });
      continue;
    }
    const present = perServer.get(step.server.id);
    if (present === undefined) continue;
    const result = planEnsure(planner, step, present, taken);
    register.push(...result.register.map((row) => ({ ...row, server: step.server.id })));
    const publish =
      step.publish !== null && (result.changes.length > 0 || present.pending.has(step.publish)) ? step.publish : null;
    if (result.changes.length > 0 || publish !== null) {
      actions.push({ ...common, kind: "ensure", changes: result.changes, publish });
    }
  }
  const changed = actions.some((action) => action.kind === "ensure") || steps.some((s) => s.kind === "run" && s.when === "always");
  const kept = new Set(steps.filter((step) => step.kind === "run" && step.when === "changed").map((step) => step.title));
  return { actions: changed ? actions : actions.filter((action) => !kept.has(action.title)), register };
}

interface Present {
  readonly states: ReadonlyMap<string, unknown>;
  readonly registered: readonly RegisteredResource[];
  readonly byAddress: ReadonlyMap<string, readonly RegisteredResource[]>;
  readonly declared: ReadonlySet<string>;
  readonly pending: ReadonlySet<string>;
}

async function readServer(planner: StepPlanner, server: ServerRecord, steps: readonly Step[]): Promise<Present> {
  const { registry, session } = planner;
  const ensures = steps.filter((step): step is EnsureStep => step.kind === "ensure" && step.server.id === server.id);
  const items = ensures.flatMap((step) => step.items);
  const wanted = items.map((item) => addressOf(registry, item));
  const declared = new Set(items.map((item, index) => `${addressKeyOf(wanted[index])}\n${item.owner}`));
  const registered = await planner.register.onServer(server.id);
  const dropped = registered.filter(
    (row) =>
      !declared.has(`${addressKey(row.type, row.key)}\n${row.owner}`) && ensures.some((step) => step.remove?.(row) === true),
  );
  await session.loadSecrets(collectReferences(items));
  const target = await session.target(server);
  const publishers = [...new Set(ensures.flatMap((step) => (step.publish === null ? [] : [step.publish])))];
  const [states, pending] = await Promise.all([
    readStates(registry, target, [...wanted, ...dropped], { contents: false }),
    Promise.all(
      publishers.map(async (name) => {
        const record = server.services.find((service) => service.name === name);
        if (record === undefined) return [];
        const role = registry.service("http", record.type).role as HttpRole;
        return (await planner.pendingPublication(server, role)) ? [name] : [];
      }),
    ),
  ]);
  const differing = wanted.filter((address, index) => {
    const key = addressKeyOf(address);
    const item = items[index];
    return item !== undefined && states.has(key) && !satisfied(planner, item, states.get(key));
  });
  // A second read for what will be shown as changed or removed only: contents cost bytes.
  const shown = [...differing, ...dropped];
  const contents =
    shown.length === 0 ? new Map<string, unknown>() : await readStates(registry, target, shown, { contents: true });
  return {
    states: new Map([...states, ...contents]),
    registered: dropped,
    byAddress: Map.groupBy(registered, (row) => addressKey(row.type, row.key)),
    declared,
    pending: new Set(pending.flat()),
  };
}

function planEnsure(
  planner: StepPlanner,
  step: EnsureStep,
  present: Present,
  taken: Set<string>,
): { changes: PlannedChange[]; register: Registration[] } {
  const changes: PlannedChange[] = [];
  const register: Registration[] = [];
  const items = step.items
    .map((item) => ({ item, address: addressOf(planner.registry, item) }))
    .toSorted((a, b) => compareResources(planner.registry, a.address, b.address));
  for (const { item, address } of items) {
    const type = planner.registry.resourceType(item.type);
    const key = addressKeyOf(address);
    const owners = present.byAddress.get(key) ?? [];
    refuseForeignOwner(step, item, address, owners);
    const desired = type.desired(item.spec, planner.session.resolve);
    const state = present.states.get(key);
    const after = stateHash(type, desired, planner.fingerprint);
    const row = { type: item.type, key: address.key, owner: item.owner, shared: item.shared === true };
    const registeredHere = owners.some((owner) => owner.owner === item.owner && owner.hash !== null);
    if (satisfied(planner, item, state) || taken.has(`${step.server.id}\n${key}`)) {
      if (!registeredHere) register.push({ ...row, hash: after, gone: false });
      continue;
    }
    taken.add(`${step.server.id}\n${key}`);
    const adopt = state !== undefined && owners.length === 0;
    if (adopt && !item.owner.startsWith("server/")) refuseForeign(step, address);
    changes.push({
      ...row,
      before: state === undefined ? null : stateHash(type, state, planner.fingerprint),
      after,
      spec: item.spec,
      adopt,
      show: { before: state === undefined ? null : type.showState(state), after: type.showSpec(item.spec) },
    });
  }
  if (step.remove === null) return { changes, register };
  const dropped = present.registered
    .filter((row) => step.remove?.(row) === true)
    .toSorted((a, b) => compareResources(planner.registry, b, a));
  for (const row of dropped) {
    const key = addressKey(row.type, row.key);
    const state = present.states.get(key);
    const holders = (present.byAddress.get(key) ?? []).filter((other) => other.owner !== row.owner);
    const type = planner.registry.resourceType(row.type);
    // Gone already, or still held by another owner: only the register changes.
    if (state === undefined || holders.length > 0 || taken.has(`${step.server.id}\n${key}`)) {
      register.push({ ...row, hash: null, gone: true });
      continue;
    }
    changes.push({
      type: row.type,
      key: row.key,
      owner: row.owner,
      shared: row.shared,
      before: stateHash(type, state, planner.fingerprint),
      after: null,
      spec: null,
      adopt: false,
      show: { before: type.showState(state), after: null },
    });
  }
  return { changes, register };
}

function satisfied(planner: StepPlanner, item: Owned, state: unknown): boolean {
  if (state === undefined) return false;
  const type = planner.registry.resourceType(item.type);
  const desired = type.desired(item.spec, planner.session.resolve);
  if (type.satisfies !== undefined) return type.satisfies(desired, state);
  return canonicalJson(type.identity(desired)) === canonicalJson(type.identity(state));
}

function addressOf(registry: Registry, item: Owned): ResourceAddress {
  const type = registry.resourceType(item.type);
  return { type: item.type, key: type.key(item.spec) };
}

function addressKeyOf(address: ResourceAddress | undefined): string {
  return address === undefined ? "" : addressKey(address.type, address.key);
}

function refuseForeignOwner(
  step: EnsureStep,
  item: Owned,
  address: ResourceAddress,
  owners: readonly RegisteredResource[],
): void {
  const other = owners.find((row) => row.owner !== item.owner && !(row.shared && item.shared === true));
  if (other === undefined) return;
  throw new HostwrightError(
    "HW_RESOURCE_CONFLICT",
    `${item.type} ${address.key} on ${step.server.name} belongs to ${other.owner}; ${item.owner} cannot have it too. Nothing was changed.`,
    { server: step.server.name, data: { type: item.type, key: address.key, owner: other.owner } },
  );
}

function refuseForeign(step: EnsureStep, address: ResourceAddress): never {
  throw new HostwrightError(
    "HW_RESOURCE_FOREIGN",
    `${address.type} ${address.key} stands on ${step.server.name} already and is not Hostwright's. Nothing was changed.`,
    { server: step.server.name, data: { type: address.type, key: address.key } },
  );
}
