import type { ActivateAction, PlanData } from "../planning/plan.ts";
import type { Publishing } from "./runner-parts.ts";

/** What an activation puts in force: all that the plan changes on its server from where it begins. */
export function publishingOf(
  { actions }: Pick<PlanData, "actions">,
  index: number,
  { server, from, force }: ActivateAction,
): Publishing {
  const changes = actions
    .slice(from, index)
    .flatMap((action) => (action.kind === "ensure" && action.server === server ? action.changes : []));
  return { changes, force };
}

/**
 * In which order a plan's actions are taken back: last first, but an activation after the first action whose changes it put
 * in force, so that it puts in force what stood before them.
 */
export function undoOrder(actions: PlanData["actions"]): readonly number[] {
  const places = actions.map((action, index) => ({
    index,
    at: action.kind === "activate" ? action.from - 0.5 : index,
  }));
  return places.toSorted((a, b) => b.at - a.at || b.index - a.index).map(({ index }) => index);
}
