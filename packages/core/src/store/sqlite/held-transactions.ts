import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { Transactions } from "./transactions.ts";

/** The database for one holder of a task: a transaction that it has no lease for any more writes nothing. */
export function heldTransactions(db: Transactions, task: string, holder: string): Transactions {
  const requireLease = (): void => {
    const sql = "SELECT 1 FROM leases WHERE task = ? AND holder = ? LIMIT 1";
    if (db.get(sql, task, holder) !== undefined) return;
    throw new HostwrightError(
      "HW_LEASE_LOST",
      `This worker has no lease of task ${task} any more. Nothing was written.`,
      {
        data: { task },
      },
    );
  };
  return {
    all: (sql, ...values) => db.all(sql, ...values),
    get: (sql, ...values) => db.get(sql, ...values),
    run: (sql, ...values) => db.run(sql, ...values),
    read: async (work) => db.read(work),
    write: async (work) =>
      db.write(() => {
        requireLease();
        return work();
      }),
  };
}
