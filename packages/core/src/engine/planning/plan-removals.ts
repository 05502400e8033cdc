import type { RegisteredResource } from "../../contracts/store.ts";
import type { EnsureStep } from "../../contracts/steps.ts";
import { breathe } from "../../model/breathe.ts";
import type { PlannedChange, Registration } from "./plan.ts";
import type { StepPlanner } from "./read-present.ts";
import { addressKey, inOrder } from "./resource-states.ts";
import { selection } from "./selection.ts";
import type { SimulatedServer } from "./simulated-server.ts";

interface Removals {
  readonly changes: readonly PlannedChange[];
  readonly register: readonly Registration[];
}

/** What a step removes of what its owners no longer declare, in reverse order. */
export async function planRemovals(planner: StepPlanner, step: EnsureStep, server: SimulatedServer): Promise<Removals> {
  const { dropped, left } = server.present;
  const changes: PlannedChange[] = [];
  const register: Registration[] = [];
  const isSelected = selection(planner.registry, step.remove);
  const rows = dropped.filter((row) => isSelected(row) && !left.owners.has(row.owner));
  const isDropped = new Set(dropped);
  for (const row of inOrder(planner.registry, rows.toReversed()).toReversed()) {
    const pause = breathe();
    if (pause !== null) await pause;
    const { type, key, owner, shared } = row;
    const id = addressKey(type, key);
    const removedFor = server.removedFor(id);
    if (removedFor === owner) continue;
    if (removedFor !== undefined || staysThere(id, server, isDropped)) {
      register.push({ type, key, owner, shared, hash: null, gone: true });
      continue;
    }
    const resourceType = planner.registry.resourceType(type);
    const { shown, ...beginning } = server.beginning({ id, key, owner }, resourceType);
    const show = { before: shown, after: null };
    const change: PlannedChange = { type, key, owner, shared, ...beginning, after: null, spec: null, show };
    server.remove(id, change);
    changes.push(change);
  }
  return { changes, register };
}

/** Gone already, held by others still or taken up by one in this plan: only the register changes. */
function staysThere(
  id: string,
  { present, declared }: SimulatedServer,
  isDropped: ReadonlySet<RegisteredResource>,
): boolean {
  const isHeld = (present.holders.get(id) ?? []).some((holder) => !isDropped.has(holder));
  return present.states.get(id) === undefined || isHeld || declared.has(id);
}
