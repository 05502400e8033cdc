import type { Guard } from "../../contracts/guard.ts";
import type { Step } from "../../contracts/steps.ts";
import { deepFreeze } from "../../model/canonical.ts";
import type { ServerRecord } from "../../model/records.ts";
import { collectReferences } from "../../model/references.ts";
import { assumedRecords, ownersAssumed } from "./assumed-records.ts";
import { assumedSets } from "./assumed-sets.ts";
import { checkGuards } from "./guards.ts";
import { needsOf } from "./needs.ts";
import type { Action, PlanData } from "./plan.ts";
import { planActivation } from "./plan-activation.ts";
import { leaveForeign, planEnsure } from "./plan-ensure.ts";
import { planTransfer } from "./plan-transfer.ts";
import { readPresent, type StepPlanner } from "./read-present.ts";
import { serversOfStep } from "./servers-of.ts";
import { SimulatedServer } from "./simulated-server.ts";

export type Planned = Pick<PlanData, "actions" | "needs" | "register" | "records" | "sets">;

/** Turns wanted steps into the actions that are really needed: reads in bulk per server and type, diffs, orders. */
export async function planSteps(planner: StepPlanner, given: readonly Step[]): Promise<Planned> {
  const steps = inPhases(given);
  const read = steps.filter(({ kind }) => kind === "ensure" || kind === "activate");
  const servers = new Map(
    await Promise.all(
      [...Map.groupBy(read, ({ server }) => server.id)].map(async ([id, list]) => {
        const [{ server }] = list as [Step];
        return [id, new SimulatedServer(await readPresent(planner, server, list), planner.fingerprint)] as const;
      }),
    ),
  );
  for (const server of servers.values()) await leaveForeign(planner, server);
  const register: PlanData["register"][number][] = [];
  const actions: { readonly action: Action; readonly incidental: boolean; readonly step: Step }[] = [];
  for (const [at, step] of steps.entries()) {
    const common = { title: step.title, server: step.server.id, serverName: step.server.name, phase: step.phase };
    const server = servers.get(step.server.id);
    if (step.kind === "run" && server?.present.left.owners.has(step.owner ?? "") === true) continue;
    if (step.kind === "run" || step.kind === "transfer") {
      const own = {
        ...common,
        ...(step.id === undefined ? {} : { id: step.id }),
        ...guarded(step.guards),
        ...assumedRecords(planner, step),
      };
      if (step.kind === "transfer") {
        actions.push({ action: { ...own, kind: "transfer", ...planTransfer(step) }, incidental: false, step });
        continue;
      }
      server?.touch(step);
      const { operation, version = 1, input } = step;
      actions.push({
        action: { ...own, kind: "run", operation, version, input },
        incidental: step.when === "changed",
        step,
      });
      continue;
    }
    if (server === undefined) continue;
    if (step.kind === "activate") {
      const planned = planActivation(planner, step, server, { steps: steps.slice(0, at), actions });
      if (planned === null) continue;
      const conditions = { ...guarded(step.guards), ...assumedRecords(planner, step) };
      actions.push({ action: { ...common, kind: "activate", ...planned, ...conditions }, incidental: false, step });
      continue;
    }
    const { changes, guards, register: rows } = await planEnsure(planner, step, server);
    for (const row of rows) register.push(deepFreeze({ ...row, server: step.server.id }));
    if (changes.length === 0) continue;
    const conditions = { ...guarded(guards), ...assumedRecords(planner, step, ownersAssumed(changes)) };
    actions.push({ action: { ...common, kind: "ensure", changes, ...conditions }, incidental: false, step });
  }
  const needed = actions.some((entry) => !entry.incidental) ? actions.map((entry) => entry.action) : [];
  await planner.session.loadSecrets(collectReferences(needed.map(givenTo)));
  const records = new Map(steps.flatMap(serversOfStep).map((server) => [server.id, server]));
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

/** What is given to programs and operations, with its references. */
function givenTo(action: Action): unknown {
  if (action.kind === "run") return action.input;
  return action.kind === "transfer" ? [action.from.login, action.to.login] : null;
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
