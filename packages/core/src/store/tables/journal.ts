import type { JournalRow } from "../../contracts/store.ts";
import type { TableDefinition } from "../../contracts/store/tables.ts";

export interface StoredJournalRow extends Omit<JournalRow, "output"> {
  /** From 1 on in each task. */
  readonly number: number;
  readonly output: string;
}

export const JOURNAL: TableDefinition<StoredJournalRow, "task" | "number"> = {
  name: "journal",
  columns: {
    task: "text",
    number: "integer",
    action: "integer",
    phase: "text",
    state: "text",
    attempt: "text",
    undo: "text?",
    output: "json",
    at: "text",
  },
  key: ["task", "number"],
  lists: {},
};
