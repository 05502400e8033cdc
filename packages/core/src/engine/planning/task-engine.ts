import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { Operation } from "../../contracts/operation.ts";
import type { RecordRemoval, StateStore } from "../../contracts/store.ts";
import type { PlainRequest, TaskDraft } from "../../contracts/task.ts";
import type { Retention } from "../../model/retention.ts";
import type { SecretBox } from "../../store/sealing.ts";
import type { SecretVault } from "../../store/secrets.ts";
import { deepFreeze } from "../../model/canonical.ts";
import { checkOutputs } from "./check-outputs.ts";
import { derivedLeases } from "./derived-leases.ts";
import { draftOf, retireDraft, type IdRange } from "./drafts.ts";
import { LoadedInventory } from "./loaded-inventory.ts";
import type { RetryPolicy } from "../sessions/retry-policy.ts";
import { assumedRecords } from "./assumed-records.ts";
import { assumedSets } from "./assumed-sets.ts";
import { parseRequest, type TaskTypes } from "./parse-request.ts";
import type { PlanData } from "./plan.ts";
import type { StepPlanner } from "./read-present.ts";
import { plannedChildren } from "./planned-children.ts";
import { planningOf, type Asked } from "./planning-of.ts";
import { planSteps } from "./plan-steps.ts";
import { planHash } from "./seal-plan.ts";
import type { Registry } from "../plugins/registry.ts";
import type { ServerPool } from "../sessions/server-pool.ts";
import { Session } from "../sessions/session.ts";
import { timeText, type Clock } from "../../model/time.ts";

/** What planning and working share. */
export interface EngineParts extends TaskTypes {
  readonly registry: Registry;
  readonly store: StateStore;
  readonly vault: SecretVault;
  readonly box: SecretBox;
  readonly pool: ServerPool;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly uids: IdRange;
  /** Where this hub is, for people who find its claim on a server: see `homeOf`. */
  readonly home: string;
  /** Default: `RETENTION`. */
  readonly retention?: Retention;
  readonly clock: Clock;
  /** Milliseconds for which a plan may be run. */
  readonly planLifeMs: number;
  /** `makeStoredPlan`: keeps what it plans. */
  readonly makePlan: (parts: EngineParts, request: PlainRequest, signal: AbortSignal) => Promise<PlanData>;
  /** Default: `new RetryPolicy()`, its own for each undo and for all clean-ups. */
  readonly retryPolicy?: () => RetryPolicy;
}

/** Plans a request from the facts of this moment. Reads servers, changes none. */
export async function planRequest(
  parts: EngineParts,
  request: PlainRequest,
  taskId: string,
  signal: AbortSignal,
): Promise<PlanData> {
  const parsed = parseRequest(parts, request);
  const { registry, store, vault, pool } = parts;
  await using session = new Session({ pool, load: async (needed) => vault.ensure(needed), fence: null, signal });
  const inventory = await LoadedInventory.load(store.records, registry);
  try {
    return await planParsed(parts, session, { parsed, inventory, taskId });
  } catch (error) {
    await discardDraft(parts, taskId);
    throw error;
  }
}

/** Of a plan that does nothing beside its steps. */
export const NOTHING: Pick<PlanData, "reserve" | "commit" | "release" | "eraseOnCommit" | "eraseOnUndo"> = {
  reserve: [],
  commit: { put: [], deleteRecords: [] },
  release: [],
  eraseOnCommit: [],
  eraseOnUndo: [],
};

/** Of a planning that was refused, or whose plan was never begun, nothing stays. */
export async function discardDraft({ store, vault }: EngineParts, taskId: string): Promise<void> {
  const draft = await draftOf(store.records, taskId);
  if (draft === null || !(await retireDraft(store.records, taskId, draft))) return;
  // The draft last: it names the secrets.
  await vault.removePrefix(`site/${draft.id}/`);
  await store.records.discard("site", draft.id, { counter: "uid", value: draft.uid });
}

async function planParsed(parts: EngineParts, session: Session, asked: Asked): Promise<PlanData> {
  const { registry, store, box } = parts;
  const { parsed, inventory, taskId } = asked;
  const { type, input, request } = parsed;
  const { planning, pending, drawn } = planningOf(
    { ...parts, session, makePlan: async (other) => parts.makePlan(parts, other, session.signal) },
    asked,
  );
  const draft = (await type.plan(planning, input)) as TaskDraft;
  const { value: given } = draft;
  const value = typeof given === "function" ? given : Promise.resolve(given);
  // Awaited below: what planning throws first must not leave it unhandled.
  if (typeof value !== "function") value.catch(() => undefined);
  checkOutputs(draft);
  requireReserved(draft, drawn());
  const children = await plannedChildren(parts, parsed, draft);
  const planned = await planSteps(
    {
      registry,
      register: store.register,
      session,
      fingerprint: (text) => box.fingerprint(text),
      pendingPublication: pending,
      version: versionsFor(draft, inventory),
    },
    draft.steps,
  );
  const { about: _about, steps: _steps, children: _children, value: _value, records = [], sets = [], ...rest } = draft;
  const plan = {
    ...NOTHING,
    ...rest,
    ...planned,
    ...children,
    ...assumedRecords(
      { version: () => undefined },
      { phase: "prepare", records: [...records, ...(planned.records ?? [])] },
    ),
    ...assumedSets([...sets, ...(planned.sets ?? [])]),
    value: await (typeof value === "function" ? value() : value),
    leases: derivedLeases(draft, planned.actions),
    id: planIdOf(taskId),
    task: taskId,
    request,
    createdAt: timeText(parts.clock),
    expiresAt: timeText(parts.clock, parts.planLifeMs),
  };
  return deepFreeze({ ...plan, hash: await planHash(plan) });
}

/** What was drawn is this plan's to make: a draft that no plan names would be kept for nobody. */
function requireReserved({ title, reserve = [] }: TaskDraft, site: string | null): void {
  if (site === null || reserve.some(({ kind, id }) => kind === "site" && id === site)) return;
  throw new HostwrightError(
    "HW_INTERNAL",
    `The plan of "${title}" does not reserve the site that it has drawn. Nothing was changed.`,
  );
}

/** What the plan itself reserves or commits is at a version of its own from then on. */
function versionsFor(
  { reserve = [], commit = NOTHING.commit }: TaskDraft,
  inventory: LoadedInventory,
): StepPlanner["version"] {
  const idsOf = (list: readonly RecordRemoval[]): ReadonlySet<string> => new Set(list.map(({ id }) => id));
  const [reserved, committed] = [idsOf(reserve), idsOf([...commit.put, ...commit.deleteRecords])];
  return (owner, phase) => {
    const id = owner.slice(owner.indexOf("/") + 1);
    const own = reserved.has(id) || (phase === "clean-up" && committed.has(id));
    return own ? undefined : inventory.knownVersion(id);
  };
}

/** A task has one plan, and the plan one task. */
export function planIdOf(taskId: string): string {
  return `p${taskId.slice(1)}`;
}

export function taskIdOf(planId: string): string {
  return `t${planId.slice(1)}`;
}
