import type { RecordRemoval, RegisteredResource } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { deleteRecords } from "./record-changes.ts";
import { registeredOn } from "./register.ts";
import { removeSecrets } from "./secrets.ts";
import type { Transactions } from "./transactions.ts";

const KEPT = "value ->> '$.status' IN ('installing', 'installed', 'deleting')";

/** What needs a record `?1`/`?2`, in words, as rows `what`. */
const NEEDED = [
  `SELECT 'the platform ' || name AS what FROM records WHERE ?1 = 'server' AND kind = 'platform' AND value ->> '$.server' = ?2`,
  `SELECT 'the site ' || name AS what FROM uses CROSS JOIN records USING (kind, id)
    WHERE ?1 = 'server' AND server = ?2 AND kind = 'site' AND ${KEPT}`,
  `SELECT 'the site ' || name AS what FROM records INDEXED BY records_platform
    WHERE ?1 = 'platform' AND kind = 'site' AND value ->> '$.platform' = ?2 AND ${KEPT}`,
  `SELECT 'the task ' || task AS what FROM leases WHERE scope = ?1 || '/' || ?2`,
  `SELECT 'the task ' || tasks.id AS what FROM records JOIN tasks ON tasks.id = records.name
    WHERE ?1 = 'site' AND kind = 'site' AND records.id = ?2 AND state NOT IN ('succeeded', 'undone')`,
  `SELECT 'the ' || type || ' ' || key || ' on server ' || server AS what FROM register
    WHERE ?1 <> 'server' AND owner = ?1 || '/' || ?2`,
];

/** Inside a transaction: see `RecordStore.forget`. */
export function forgetRecord(
  db: Transactions,
  { kind, id, expect }: Required<RecordRemoval>,
): readonly RegisteredResource[] {
  for (const sql of NEEDED) {
    const needed = db.get<{ what: string }>(`${sql} LIMIT 1`, kind, id);
    if (needed === undefined) continue;
    throw new HostwrightError("HW_TASK_STATE", `The ${kind} ${id} is needed by ${needed.what}. Nothing was changed.`, {
      data: { kind, id, expect },
    });
  }
  deleteRecords(db, [{ kind, id, expect }]);
  removeSecrets(db, `${kind}/${id}/`);
  const left = kind === "server" ? registeredOn(db, id) : [];
  db.run("DELETE FROM register WHERE ?1 = 'server' AND server = ?2", kind, id);
  return left;
}
