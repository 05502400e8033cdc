import type { RecordKind, RecordStore, RecordVersion } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { PlanData, PlannedChange } from "./plan.ts";
import type { StepPlanner } from "./read-present.ts";
import type { Step } from "../../contracts/steps.ts";

/**
 * Owners whose records an action is to find unchanged: sites whose things it changes, and everybody of whom it removes what
 * is declared no longer. A server's and a platform's record changes while a hundred approved plans of their sites wait: what
 * they only share is guarded by its states.
 */
export function ownersAssumed(changes: readonly PlannedChange[]): readonly string[] {
  return changes.filter(({ owner, after }) => after === null || owner.startsWith("site/")).map(({ owner }) => owner);
}

/** The records of these owners, as far as the plan was made from them, beside those that the step names. */
export function assumedRecords(
  { version }: Pick<StepPlanner, "version">,
  { phase, records: given = [] }: Pick<Step, "phase" | "records">,
  owners: readonly string[] = [],
): { readonly records?: readonly RecordVersion[] } {
  const judged = new Map(given.map((record) => [`${record.kind}/${record.id}`, record]));
  for (const owner of owners) {
    const known = judged.has(owner) ? undefined : version(owner, phase);
    if (known !== undefined) judged.set(owner, recordOf(owner, known));
  }
  return judged.size === 0 ? {} : { records: [...judged.values()] };
}

/** `site/s1` at a version. */
export function recordOf(owner: string, version: number): RecordVersion {
  const slash = owner.indexOf("/");
  return { kind: owner.slice(0, slash) as RecordKind, id: owner.slice(slash + 1), version };
}

/** Before anything of a plan is begun, under its leases. @throws HW_RESOURCE_CHANGED */
export async function requireAssumed(records: RecordStore, plan: PlanData): Promise<void> {
  const all = [plan, ...plan.actions].flatMap((part) => part.records ?? []);
  const judged = new Map(all.map((record) => [`${record.kind}/${record.id}`, record]));
  for (const [owner, { kind, id, version }] of judged) {
    const present = await records.get(kind, id);
    const now = present?.id === id ? present.version : 0;
    if (now === version) continue;
    const what = version === 0 ? "came to be" : now === 0 ? "was deleted" : "was changed";
    throw new HostwrightError(
      "HW_RESOURCE_CHANGED",
      `${owner}${present === null ? "" : ` (${present.name})`} ${what} since "${plan.title}" was planned. Nothing was changed.`,
      { remedy: "Plan it again.", data: { owner, version, now } },
    );
  }
}
