import type { ErrorCode } from "../../errors/codes.ts";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import type { ReadRows, Tables } from "../../contracts/store/tables.ts";
import { LEASES } from "../tables/leases.ts";

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
 * The tables for one holder of a task: a transaction that it has no lease for any more writes nothing. A store that is
 * locked or full is waited for, `waitMs` long; after that the worker lets go of the task as if another had it: whoever can
 * write again goes on with it, and nothing is undone for it (decisions.md D61).
 */
export function heldTables(tables: Tables, task: string, holder: string, waitMs: number): Tables {
  return {
    read: async (work) => tables.read(work),
    changed: async () => tables.changed(),
    transact: async (work) => {
      try {
        return await tables.transact(async (rows) => {
          await requireLease(rows, task, holder);
          return work(rows);
        }, waitMs);
      } catch (error) {
        if (!isHostwrightError(error) || !LOCAL.includes(error.code)) throw error;
        const what = `The state of task ${task} could not be written: ${error.message} It is left as it stands.`;
        throw new HostwrightError("HW_LEASE_LOST", what, { cause: error, remedy: error.remedy, data: { task } });
      }
    },
  };
}

/** @throws HW_LEASE_LOST */
export async function requireLease(rows: ReadRows, task: string, holder: string): Promise<void> {
  const leases = await rows.list(LEASES, { by: "task", of: [{ task, holder }], limit: 1 });
  if (leases.length > 0) return;
  throw new HostwrightError(
    "HW_LEASE_LOST",
    `This worker has no lease of task ${task} any more. Nothing was written.`,
    { data: { task } },
  );
}
