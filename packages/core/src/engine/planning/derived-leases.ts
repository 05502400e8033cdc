import type { LeaseRequest } from "../../contracts/store.ts";
import type { Action } from "./plan.ts";
import type { TaskDraft } from "../../contracts/task.ts";
import { serversOfStep } from "./servers-of.ts";

/**
 * What a task may have to itself and what it shares follows from its plan (decisions.md D47): what it is about for itself
 * alone, every server of its steps together with others, and so the owners of what they declare there. Whose own things
 * are changed has them changed by this task alone. Nobody else is on a server that it has for itself, so that its sites
 * need no leases of their own.
 */
export function derivedLeases(
  { about, steps }: Pick<TaskDraft, "about" | "steps">,
  actions: readonly Action[],
): readonly LeaseRequest[] {
  const changed = new Set(
    actions.flatMap((action) => (action.kind === "ensure" ? action.changes.map(({ owner }) => owner) : [])),
  );
  const modes = new Map<string, LeaseRequest["mode"]>(about.map((scope) => [scope, "exclusive"]));
  const share = (scope: string): void => {
    if (!modes.has(scope)) modes.set(scope, changed.has(scope) ? "exclusive" : "shared");
  };
  for (const { id } of steps.flatMap(serversOfStep)) share(`server/${id}`);
  for (const step of steps) {
    if (step.kind !== "ensure" || modes.get(`server/${step.server.id}`) === "exclusive") continue;
    for (const { owner } of step.items) share(owner);
  }
  return [...modes].map(([scope, mode]) => ({ scope, mode }));
}
