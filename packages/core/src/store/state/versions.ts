import type { RecordVersion } from "../../contracts/store.ts";
import type { ReadRows } from "../../contracts/store/tables.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { RECORDS } from "../tables/records.ts";

/** @throws HW_TASK_STATE unless each record is at its version */
export async function requireVersions(rows: ReadRows, expected: readonly RecordVersion[]): Promise<void> {
  if (expected.length === 0) return;
  const found = await rows.get(RECORDS, expected, ["version"]);
  for (const [index, { kind, id, version: expect }] of expected.entries()) {
    const version = found[index]?.version ?? 0;
    if (version === expect) continue;
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
