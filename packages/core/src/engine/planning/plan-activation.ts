import type { ActivateStep, EnsureStep, Step } from "../../contracts/steps.ts";
import { isEntryOf } from "../../plugin-kit/entries.ts";
import { publicationOf } from "../plugins/publication-of.ts";
import type { Action, ActivateAction } from "./plan.ts";
import type { StepPlanner } from "./read-present.ts";
import type { SimulatedServer } from "./simulated-server.ts";

/** What is planned before an activation, in its order. */
export interface Before {
  readonly steps: readonly Step[];
  readonly actions: readonly { readonly action: Action; readonly step: Step }[];
}

/** What an activation adds to its step; null where nothing changed and nothing waits. */
export function planActivation(
  { registry }: Pick<StepPlanner, "registry">,
  step: ActivateStep,
  server: SimulatedServer,
  before: Before,
): Pick<ActivateAction, "service" | "from" | "force"> | null {
  const publication = publicationOf(registry, step.server, step.service);
  const since = before.actions.findLastIndex(({ step: other }) => isSame(step, other)) + 1;
  const makes = before.actions.map(({ action, step: other }, index) => {
    if (index < since || action.kind !== "ensure" || action.server !== step.server.id)
      return { entry: false, other: false };
    const isOf = other.id !== undefined && step.of?.includes(other.id) === true;
    return {
      entry: action.changes.some((change) => isEntryOf(publication, change)),
      other: isOf && action.changes.some((change) => change.type === "file" && !isEntryOf(publication, change)),
    };
  });
  const from = makes.findIndex(({ entry, other }) => entry || other);
  if (from < 0 && !isAwaited(step, server, before.steps)) return null;
  const force = makes.some(({ other }) => other);
  return { service: step.service, from: from < 0 ? before.actions.length : from, force };
}

function isSame(step: ActivateStep, other: Step): boolean {
  return other.kind === "activate" && other.service === step.service && other.server.id === step.server.id;
}

/**
 * Does something wait for it that no activation before it takes up? What was quarantined waits for those only who declare
 * it.
 */
function isAwaited(step: ActivateStep, { present }: SimulatedServer, steps: readonly Step[]): boolean {
  const waiting = present.pending.get(step.service);
  if (waiting === undefined) return false;
  const since = steps.findLastIndex((other) => isSame(step, other)) + 1;
  const declaring = steps.slice(since).filter((one): one is EnsureStep => one.kind === "ensure");
  const isQuarantined = (one: EnsureStep): boolean =>
    (present.wanted.get(one) ?? []).some(({ id }) => waiting.quarantined.has(id));
  return (waiting.waits && since === 0) || declaring.some(isQuarantined);
}
