import type { TaskDraft } from "../../contracts/task.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { outputReferences } from "../../model/outputs.ts";
import { inPhases } from "./plan-steps.ts";

/** Whatever refers to another step, or to its output, stands behind it. @throws HW_INTERNAL naming the task's mistake */
export function checkOutputs({ title, steps, outputs = {} }: Pick<TaskDraft, "title" | "steps" | "outputs">): void {
  const known = new Set<string>();
  /** With the server of each. */
  const ensured = new Map<string, string>();
  const refuse = (what: string): HostwrightError =>
    new HostwrightError("HW_INTERNAL", `The plan of "${title}" ${what}. Nothing was changed.`);
  const require = (value: unknown): void => {
    const unknown = outputReferences(value).find(({ step }) => !known.has(step));
    if (unknown !== undefined)
      throw refuse(`refers to "${unknown.name}" of the step "${unknown.step}", which does not come before it`);
  };
  for (const step of inPhases(steps)) {
    if (step.kind === "run") require(step.input);
    for (const id of step.kind === "activate" ? (step.of ?? []) : [])
      if (ensured.get(id) !== step.server.id)
        throw refuse(`puts the step "${id}" in force, which does not come before it on its server`);
    if (step.id === undefined) continue;
    if (known.has(step.id) || ensured.has(step.id)) throw refuse(`has two steps "${step.id}"`);
    if (step.kind === "ensure") ensured.set(step.id, step.server.id);
    else known.add(step.id);
  }
  require(outputs);
}
