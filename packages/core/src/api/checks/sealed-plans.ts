import { setImmediate as nextTurn } from "node:timers/promises";
import type { RecordStore } from "../../contracts/store.ts";
import { requireAssumed } from "../../engine/planning/assumed-records.ts";
import { missingNeeds, showNeed } from "../../engine/planning/needs.ts";
import type { PlanData } from "../../engine/planning/plan.ts";
import { openPlan } from "../../engine/planning/seal-plan.ts";
import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { planOf } from "../../engine/workers/stored-plans.ts";
import { isHostwrightError } from "../../errors/hostwright-error.ts";
import { collectReferences } from "../../model/references.ts";
import type { StateProblem } from "./check.ts";
import { timeText } from "../../model/time.ts";

const LATER = "9999";

/** Plans of tasks that have not ended, and those that wait for approval: they open, and nothing that they name is lacking. */
export async function* sealedPlans(parts: EngineParts): AsyncGenerator<StateProblem> {
  const { store, box } = parts;
  if (!box.hasKey) return;
  const states = ["queued", "running", "cancelling", "undoing", "needs-attention"] as const;
  const open = async (id: string): Promise<PlanData | null> => {
    const task = await store.tasks.get(id);
    return task === null ? null : planOf(parts, task, { begun: true });
  };
  for (const { id } of await store.tasks.list({ states })) yield* judge(parts, `task ${id}`, async () => open(id));
  const now = timeText(parts.clock);
  for (const { id, task } of await store.plans.expired(LATER)) {
    const stored = await store.plans.get(id);
    // It is being made, or its time is over: nobody runs it.
    if (stored === null || stored.sealed === null || stored.expiresAt <= now) continue;
    // It was run, and is kept until its time is over.
    if ((await store.tasks.state(task)) !== null) continue;
    const sealed = { id: task, plan: stored.sealed };
    yield* judge(parts, `plan ${id}`, async () => {
      const plan = await openPlan(box, sealed, { begun: true });
      return (await isOutdated(store.records, plan)) ? null : plan;
    });
  }
}

async function* judge(
  { registry, operations, store }: EngineParts,
  where: string,
  open: () => Promise<PlanData | null>,
): AsyncGenerator<StateProblem> {
  await nextTurn();
  let plan: PlanData | null;
  try {
    plan = await open();
  } catch (error) {
    if (!isHostwrightError(error)) throw error;
    return void (yield { code: error.code, where, what: error.message, remedy: "Cancel it, and plan it again." });
  }
  if (plan === null) return;
  const missing = missingNeeds(registry, operations, plan.needs).map(showNeed);
  if (missing.length > 0) {
    const what = `its plan needs ${missing.join(", ")}, which no loaded plugin brings`;
    yield { code: "HW_PLUGIN_MISSING", where, what, remedy: "Load the plugin that brings it, in that version." };
  }
  const named = new Set(collectReferences(plan.actions).map(({ id }) => id));
  const known = await store.secrets.get([...named]);
  for (const id of named) {
    if (known.has(id)) continue;
    const what = `its plan names the secret ${id}, which is not there`;
    yield { code: "HW_SECRET_UNREADABLE", where, what, remedy: "Cancel it, and plan it again." };
  }
}

/** What it was made from is another by now: whoever approves it is told so. */
async function isOutdated(records: RecordStore, plan: PlanData): Promise<boolean> {
  try {
    await requireAssumed(records, plan);
    return false;
  } catch (error) {
    if (isHostwrightError(error) && error.code === "HW_RESOURCE_CHANGED") return true;
    throw error;
  }
}
