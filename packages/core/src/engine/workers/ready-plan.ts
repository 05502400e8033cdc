import type { Blocker, Lease, LeaseAnswer, LeaseRequest, StoredTask } from "../../contracts/store.ts";
import type { PlainRequest } from "../../contracts/task.ts";
import { cancelError } from "../actions/cancel-error.ts";
import { throwIfClosing } from "../actions/handed-over.ts";
import { draftOf } from "../planning/drafts.ts";
import { refuseGrandchildren } from "../planning/planned-children.ts";
import type { PlanData } from "../planning/plan.ts";
import { sealPlan } from "../planning/seal-plan.ts";
import { planRequest, type EngineParts } from "../planning/task-engine.ts";
import { isApproval } from "./stored-plans.ts";
import type { Turn } from "./turn.ts";
import { NEVER, ownScope, unbegun, type Work } from "./work.ts";

export interface ReadyParts {
  /** Of the task's worker: see `heldParts`. */
  readonly engine: EngineParts;
  readonly holder: string;
  /** Tasks that are in nobody's way here. */
  except(): ReadonlySet<string>;
  /** Goes on with what is in the way, if nobody else does. */
  help(turn: Turn, blockers: readonly Blocker[], waiting: AbortSignal): void;
}

/**
 * A task's plan, with all its leases: a stored one as it is, or the request's, planned under them (decisions.md D1). What was
 * begun waits for them; another task holds nothing while it waits: null, and it is back in line.
 * @throws HW_CANCELLED when a cancel came first; what planning throws; HandedOver
 */
export async function readyPlan(
  parts: ReadyParts,
  task: StoredTask,
  stored: PlanData | null,
  how: Work & { readonly begun: boolean },
): Promise<{ readonly plan: PlanData; readonly token: number } | null> {
  const { engine } = parts;
  const { leases, records } = engine.store;
  // What was begun is gone on with or taken back, whatever cancels it.
  const signal = how.begun ? NEVER : how.signal;
  let held = (await leases.list()).filter((lease) => lease.task === task.id);
  for (;;) {
    signal.throwIfAborted();
    if (!how.begun && how.closing.aborted && (await putBack(parts, task, how.turn))) return null;
    const plan = stored ?? (await planRequest(engine, task.request as PlainRequest, task.id, signal));
    refuseGrandchildren(task.parent, plan);
    const answer = await (how.begun ? insist(parts, task.id, plan, how) : acquire(parts, task.id, plan));
    if ("blockedBy" in answer) {
      if (await putBack(parts, task, how.turn, plan.leases)) return null;
      throw cancelledBefore(task.id);
    }
    const token = answer.granted.reduce((highest, lease) => Math.max(highest, lease.token), 0);
    if (stored !== null) return { plan: isApproval(task.plan) ? await keep(engine, task.id, plan) : plan, token };
    const draft = await draftOf(records, task.id);
    if (!answer.granted.some((lease) => isNew(lease, held, draft?.id)))
      return { plan: await keep(engine, task.id, plan), token };
    held = [...held, ...answer.granted];
  }
}

/** What it was granted only now somebody may have changed since it was planned; of its own draft nobody knows. */
function isNew(lease: Lease, held: readonly Lease[], draft: string | undefined): boolean {
  const had = held.some(({ scope, mode }) => scope === lease.scope && (mode === lease.mode || mode === "exclusive"));
  return !had && lease.scope !== `site/${draft}`;
}

async function acquire({ engine, holder, except }: ReadyParts, taskId: string, plan: PlanData): Promise<LeaseAnswer> {
  return engine.store.leases.acquire(taskId, holder, [...plan.leases, ownScope(taskId)], except());
}

/** Its journal is begun, so that it cannot go back into the line: it waits with what it has. */
async function insist(
  parts: ReadyParts,
  taskId: string,
  plan: PlanData,
  { turn, waiting }: Work,
): Promise<LeaseAnswer> {
  for (;;) {
    throwIfClosing(waiting);
    const answer = await acquire(parts, taskId, plan);
    if ("granted" in answer) return answer;
    await turn.tell(answer.blockedBy);
    parts.help(turn, answer.blockedBy, waiting);
    await turn.wait(waiting);
  }
}

async function putBack(
  { engine, holder }: ReadyParts,
  task: StoredTask,
  turn: Turn,
  more: readonly LeaseRequest[] = [],
): Promise<boolean> {
  const { leases } = engine.store;
  const done = await leases.putBack(task.id, holder, more);
  if (done) await turn.tell((await leases.waiting(task.id)) ?? []);
  return done;
}

/** Before anything is begun: what runs by a plan that is not stored nobody could go on with. @throws HW_CANCELLED */
async function keep({ store, box }: EngineParts, taskId: string, plan: PlanData): Promise<PlanData> {
  if (await store.tasks.move(taskId, ["running"], "running", { plan: await sealPlan(box, plan) })) return plan;
  throw cancelledBefore(taskId);
}

function cancelledBefore(taskId: string): Error {
  return cancelError(AbortSignal.abort(), unbegun(taskId), undefined);
}
