import type { RecordKind } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { Transactions } from "./transactions.ts";

/** Inside a transaction. @throws HW_TASK_STATE */
export function requireVersion(db: Transactions, { kind, id }: { kind: RecordKind; id: string }, expect: number): void {
  const row = db.get<{ version: number }>("SELECT version FROM records WHERE kind = ? AND id = ?", kind, id);
  const version = row?.version ?? 0;
  if (version === expect) return;
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
