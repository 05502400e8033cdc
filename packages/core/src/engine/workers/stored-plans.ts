import type { StoredTask } from "../../contracts/store.ts";
import type { PlainRequest } from "../../contracts/task.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { newId } from "../../model/ids.ts";
import { canonicalJson } from "../../model/canonical.ts";
import { RETENTION } from "../../model/retention.ts";
import { sweepPlans } from "../maintenance/sweep-plans.ts";
import type { PlanApproval, PlanData } from "../planning/plan.ts";
import { openPlan, sealPlan } from "../planning/seal-plan.ts";
import { parseRequest } from "../planning/parse-request.ts";
import { planIdOf, planRequest, type EngineParts } from "../planning/task-engine.ts";
import { timeText } from "../../model/time.ts";

/** More than the one that is added. */
const PLANS_AT_ONCE = 10;

/** Plans a request and keeps the plan, sealed, until its time is over: whoever knows id and hash may approve it. */
export async function makeStoredPlan(
  parts: EngineParts,
  request: PlainRequest,
  signal: AbortSignal,
): Promise<PlanData> {
  const { store, box, clock, planLifeMs } = parts;
  const task = newId("t", 16);
  const known = { id: planIdOf(task), task, request: parseRequest(parts, request).request };
  const expiresAt = timeText(clock, planLifeMs);
  // Before it is planned, which makes drafts and secrets: whatever becomes of this process, a sweep finds them.
  await store.plans.put({ ...known, title: "", hash: "", sealed: null, expiresAt });
  // Who makes plans removes old ones: where nobody works, nobody else does.
  await maintainPlans(parts, signal);
  const plan = await planRequest(parts, request, task, signal).catch(async (error: unknown) => {
    // Its draft is discarded: nothing of it is left to be found.
    await store.plans.remove([known.id]);
    throw error;
  });
  const made = { title: plan.title, hash: plan.hash, sealed: await sealPlan(box, plan), expiresAt: plan.expiresAt };
  await store.plans.put({ ...known, ...made });
  return plan;
}

async function maintainPlans(parts: EngineParts, signal: AbortSignal): Promise<void> {
  const bounds = { keep: (parts.retention ?? RETENTION).plans, limit: PLANS_AT_ONCE };
  await sweepPlans(parts, signal, parts.clock.now(), bounds);
}

/**
 * The plan that a task brought: sealed, or the approval of a stored one, which is believed only as far as the sealed
 * plan says the same. Null when it is yet to be planned from its request.
 * @throws HW_PLAN_FORGED, HW_PLAN_EXPIRED (unless it was begun), HW_NOT_FOUND
 */
export async function planOf(
  parts: EngineParts,
  task: Pick<StoredTask, "id" | "plan" | "request">,
  options: { readonly begun: boolean },
): Promise<PlanData | null> {
  if (task.plan === null) return null;
  if (!isApproval(task.plan)) return openPlan(parts.box, task, { ...options, clock: parts.clock });
  const { plan: id, hash } = task.plan;
  const stored = await parts.store.plans.get(id);
  if (stored === null) {
    throw new HostwrightError(
      "HW_NOT_FOUND",
      `The plan ${id}, which task ${task.id} approves, is gone. Nothing was run.`,
    );
  }
  const plan = await openPlan(parts.box, { id: task.id, plan: stored.sealed }, { ...options, clock: parts.clock });
  // The request in the clear is what the policy was asked about.
  const same = plan.id === id && plan.hash === hash && canonicalJson(plan.request) === canonicalJson(task.request);
  if (same) return plan;
  throw new HostwrightError(
    "HW_PLAN_FORGED",
    `Task ${task.id} approves another content of plan ${id} than was sealed. Nothing was run.`,
    { remedy: "Read the plan that is stored, and approve its hash." },
  );
}

/** A task that was submitted with an approval, whose plan no worker has taken up yet. */
export function isApproval(plan: unknown): plan is PlanApproval {
  return typeof plan === "object" && plan !== null && "plan" in plan && "hash" in plan;
}
