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

/**
 * Is there something of an action to be taken back? What an activation would have put in force another task may have: it is
 * looked after where any of that was begun.
 */
export function isBegun(actions: PlanData["actions"], index: number, begun: ReadonlySet<number>): boolean {
  const action = actions[index];
  if (action?.kind !== "activate") return begun.has(index);
  return [...begun].some((one) => one >= action.from && one <= index);
}
