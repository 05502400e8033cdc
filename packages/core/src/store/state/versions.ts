import type { RecordRemoval } from "../../contracts/store.ts";
import type { ReadRows } from "../../contracts/store/tables.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { RECORDS } from "../tables/records.ts";

/** @throws HW_TASK_STATE unless each record of which a version is expected is at it; 0: there is none */
export async function requireVersions(rows: ReadRows, expected: readonly RecordRemoval[]): Promise<void> {
  const found = await rows.get(RECORDS, expected, ["version"]);
  for (const [index, { kind, id, expect }] of expected.entries()) {
    const version = found[index]?.version ?? 0;
    if (expect === undefined || version === expect) continue;
    const now = version === 0 ? "does not exist" : `is at version ${version}`;
    throw new HostwrightError(
      "HW_TASK_STATE",
      `The ${kind} ${id} ${now}, not at version ${expect}; it was left as it is.`,
      {
        remedy: "Read the record again and repeat the change on what it is now.",
        data: { kind, id, version, expect },
      },
    );
  }
}
