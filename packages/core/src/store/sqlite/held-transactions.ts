import type { ErrorCode } from "../../errors/codes.ts";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import type { Transactions } from "./transactions.ts";

/** What this machine's store refuses: no fault of a task or of a server. */
const LOCAL: readonly ErrorCode[] = [
  "HW_STORE_BUSY",
  "HW_STORE_FAILED",
  "HW_STORE_INCOMPATIBLE",
  "HW_STORE_DAMAGED",
  "HW_DISK_FULL",
  "HW_PERMISSION_DENIED",
];

/**
 * The database for one holder of a task: a transaction that it has no lease for any more writes nothing. A store that is
 * locked or full is waited for, `waitMs` long; after that the worker lets go of the task as if another had it: whoever can
 * write again goes on with it, and nothing is undone for it (decisions.md D61).
 */
export function heldTransactions(db: Transactions, task: string, holder: string, waitMs: number): Transactions {
  return {
    all: (sql, ...values) => db.all(sql, ...values),
    get: (sql, ...values) => db.get(sql, ...values),
    run: (sql, ...values) => db.run(sql, ...values),
    read: async (work) => db.read(work),
    write: async (work) => {
      try {
        return await db.write(() => {
          requireLease(db, task, holder);
          return work();
        }, waitMs);
      } catch (error) {
        if (!isHostwrightError(error) || !LOCAL.includes(error.code)) throw error;
        const what = `The state of task ${task} could not be written: ${error.message} It is left as it stands.`;
        throw new HostwrightError("HW_LEASE_LOST", what, { cause: error, remedy: error.remedy, data: { task } });
      }
    },
  };
}

/** Inside a transaction. @throws HW_LEASE_LOST */
export function requireLease(db: Transactions, task: string, holder: string): void {
  const sql = "SELECT 1 FROM leases WHERE task = ? AND holder = ? LIMIT 1";
  if (db.get(sql, task, holder) !== undefined) return;
  throw new HostwrightError(
    "HW_LEASE_LOST",
    `This worker has no lease of task ${task} any more. Nothing was written.`,
    { data: { task } },
  );
}
