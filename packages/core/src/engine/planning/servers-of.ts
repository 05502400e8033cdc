import type { Step } from "../../contracts/steps.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { Action } from "./plan.ts";

/** Ids of the servers that an action works on; its own first. */
export function serversOf(action: Action): readonly string[] {
  return action.kind === "transfer" ? [...new Set([action.server, action.from.server])] : [action.server];
}

/** The servers that a step works on; its own first. */
export function serversOfStep(step: Step): readonly ServerRecord[] {
  return step.kind === "transfer" ? [step.server, step.from.server] : [step.server];
}
