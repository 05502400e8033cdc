import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { isHostwrightError } from "../../errors/hostwright-error.ts";
import { RESTORE, type Check, type StateProblem } from "./check.ts";
import { damagedFiles } from "./damaged-files.ts";
import { lackingSecrets } from "./lacking-secrets.ts";
import { missingReferences } from "./missing-references.ts";
import { sealedPlans } from "./sealed-plans.ts";
import { sealedStates } from "./sealed-states.ts";
import { sealedSecrets } from "./sealed-secrets.ts";
import { strayRegistrations } from "./stray-registrations.ts";
import { straySecrets } from "./stray-secrets.ts";
import { unfitRecords } from "./unfit-records.ts";

const CHECKS: readonly Check[] = [
  damagedFiles,
  sealedSecrets,
  sealedStates,
  sealedPlans,
  unfitRecords,
  missingReferences,
  lackingSecrets,
  straySecrets,
  strayRegistrations,
];

/**
 * Looks at all of the state, and changes nothing. A look that cannot come to its end is a problem itself. Others write
 * between two reads of a look: a problem is told only when a second look finds it again.
 */
export async function checkState(
  parts: EngineParts,
  checks: readonly Check[] = CHECKS,
): Promise<readonly StateProblem[]> {
  const problems: StateProblem[] = [];
  for (const check of checks) {
    const suspected = await look(parts, check);
    if (suspected.length === 0) continue;
    const again = new Set((await look(parts, check)).map(inWords));
    for (const problem of suspected) if (again.has(inWords(problem))) problems.push(problem);
  }
  return problems;
}

async function look(parts: EngineParts, check: Check): Promise<readonly StateProblem[]> {
  const problems: StateProblem[] = [];
  try {
    for await (const problem of check(parts)) problems.push(problem);
  } catch (error) {
    const code = isHostwrightError(error) ? error.code : "HW_STORE_DAMAGED";
    const reason = error instanceof Error ? error.message : String(error);
    problems.push({ code, where: "store.db", what: `${check.name} came to no end: ${reason}`, remedy: RESTORE });
  }
  return problems;
}

function inWords({ code, where, what }: StateProblem): string {
  return `${code}: ${where}: ${what}`;
}
