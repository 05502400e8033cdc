import type { JournalStore } from "../../src/contracts/store.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import { fromJson, toJson } from "../../src/store/json.ts";
import { deleteRecords, putRecords, requireVersion } from "./records.ts";
import { putResources, removeResources } from "./register.ts";
import { TOKENS } from "./leases.ts";
import { atomically, nextNumber, type Tables } from "./tables.ts";

export function memoryJournal(tables: Tables): JournalStore {
  return {
    write: async (rows, register, expect = []) => {
      for (const record of expect) requireVersion(tables, record, record.version);
      atomically(tables, () => {
        removeResources(tables, register?.remove ?? []);
        putResources(tables, register?.put ?? []);
      });
      for (const row of rows) {
        const plain = { ...row, output: fromJson(toJson(row.output)) };
        tables.journal.set(row.task, [...(tables.journal.get(row.task) ?? []), plain]);
      }
      if (rows.length > 0) nextNumber(tables, TOKENS, 1);
    },
    read: async (task) => tables.journal.get(task) ?? [],
    commit: async (task, _at, changes) => {
      if (tables.commits.has(task)) return;
      const state = tables.tasks.get(task)?.state;
      if (state !== "running" && state !== "needs-attention")
        throw new HostwrightError("HW_TASK_STATE", `Task ${task} is ${state ?? "not there"}.`);
      atomically(tables, () => {
        tables.commits.add(task);
        const row = tables.tasks.get(task);
        if (row !== undefined) tables.tasks.set(task, { ...row, state: "running" });
        deleteRecords(tables, changes.deleteRecords);
        putRecords(tables, changes.put);
        removeResources(tables, changes.register.remove);
        putResources(tables, changes.register.put);
      });
    },
    isCommitted: async (task) => tables.commits.has(task),
  };
}
