import type { LeaseStore } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";

/**
 * Before a task is ended or forgotten: a worker that was stopped for longer than its lease wakes up with an answer of long
 * ago, while another has gone on with the task. @throws HW_LEASE_LOST
 */
export async function requireLease(leases: LeaseStore, task: string, holder: string): Promise<void> {
  if (await leases.heartbeat(task, holder)) return;
  throw new HostwrightError("HW_LEASE_LOST", `Another worker has task ${task} now. This one leaves it to that.`);
}
