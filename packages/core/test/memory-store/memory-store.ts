import { randomUUID } from "node:crypto";
import type { StateStore, TaskWrites } from "../../src/contracts/store.ts";
import { isHolderGone } from "../../src/store/holder.ts";
import { raiseEpoch } from "./epoch.ts";
import { heldWrites } from "./held.ts";
import { memoryJournal } from "./journal.ts";
import { memoryLeases, type IsGone } from "./leases.ts";
import { memoryEvents } from "./events.ts";
import { memoryBookmarks, memoryPlans } from "./plans.ts";
import { memoryRecords } from "./records.ts";
import { memoryRegister } from "./register.ts";
import { memorySecrets } from "./secrets.ts";
import { emptyTables, type Tables } from "./tables.ts";
import { memoryTasks } from "./tasks.ts";

/** A store without files: as fast as a model-based test needs it, and proof that the engine needs no SQLite. */
export function memoryStore(
  tables: Tables = emptyTables(randomUUID()),
  isGone: IsGone = isHolderGone,
): StateStore & { readonly tables: Tables } {
  const writes: TaskWrites = {
    records: memoryRecords(tables),
    register: memoryRegister(tables),
    tasks: memoryTasks(tables),
    journal: memoryJournal(tables),
    secrets: memorySecrets(tables),
    plans: memoryPlans(tables),
  };
  return {
    tables,
    ...writes,
    held: (task, holder) => heldWrites(tables, writes, task, holder),
    events: memoryEvents(tables),
    bookmarks: memoryBookmarks(tables),
    leases: memoryLeases(tables, isGone),
    identity: async () => ({ installation: tables.installation, epoch: tables.epoch }),
    keyCheck: { get: async () => tables.keyCheck, set: async (check) => void (tables.keyCheck = check) },
    integrity: async () => [],
    raiseEpoch: async (at, outcome) => raiseEpoch(tables, at, outcome),
    scrub: async () => true,
    close: async () => undefined,
  };
}
