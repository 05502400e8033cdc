import type { StateStore, TaskWrites } from "../contracts/store.ts";
import type { StoreKernel } from "../contracts/store/kernel.ts";
import type { Tables } from "../contracts/store/tables.ts";
import { HolderWatch } from "./holder-watch.ts";
import { raiseEpoch } from "./state/epoch.ts";
import { heldTables } from "./state/held-tables.ts";
import { identityOf, keyCheckOf, setKeyCheck } from "./state/identity.ts";
import { TableBookmarks } from "./state/table-bookmarks.ts";
import { TableJournal } from "./state/table-journal.ts";
import { TableLeases } from "./state/table-leases.ts";
import { TablePlans } from "./state/table-plans.ts";
import { TableRecords } from "./state/table-records.ts";
import { TableRegister } from "./state/table-register.ts";
import { TableSecrets } from "./state/table-secrets.ts";
import { TableTasks } from "./state/table-tasks.ts";

export interface StateStoreOptions {
  /** Milliseconds after which a lease with a still heartbeat is dead; default 60,000. Beat at least four times as often. */
  readonly leaseMs?: number;
  /**
   * Milliseconds for which a worker's writes of its task wait for a locked or full store, after which it leaves the task to
   * others; default 600,000.
   */
  readonly heldMs?: number;
  /** Judges holders of leases; default: by their processes and heartbeats. */
  readonly watch?: Pick<HolderWatch, "dead">;
}

const LEASE_MS = 60_000;
const HELD_MS = 600_000;

/** All state over any kernel: what is kept and by which rules is written here once (decisions.md D67). */
export function stateStore(kernel: StoreKernel, options: StateStoreOptions = {}): StateStore {
  const { tables, events } = kernel;
  const { leaseMs = LEASE_MS, heldMs = HELD_MS, watch = new HolderWatch(kernel.reach) } = options;
  return {
    ...taskWrites(tables),
    reach: kernel.reach,
    events,
    bookmarks: new TableBookmarks(tables),
    leases: new TableLeases(tables, leaseMs, watch),
    held: (task, holder) => taskWrites(heldTables(tables, task, holder, heldMs)),
    identity: async () => identityOf(tables),
    keyCheck: {
      get: async () => keyCheckOf(tables),
      set: async (check, before) => setKeyCheck(tables, check, before),
    },
    integrity: async () => kernel.integrity(),
    raiseEpoch: async (at, outcome) => {
      await events.leap();
      return raiseEpoch(tables, at, outcome);
    },
    scrub: async () => kernel.scrub(),
    close: async () => kernel.close(),
  };
}

function taskWrites(tables: Tables): TaskWrites {
  return {
    records: new TableRecords(tables),
    register: new TableRegister(tables),
    tasks: new TableTasks(tables),
    journal: new TableJournal(tables),
    secrets: new TableSecrets(tables),
    plans: new TablePlans(tables),
  };
}
