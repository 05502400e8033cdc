import { HostwrightError } from "../../errors/hostwright-error.ts";
import type {
  CommitChanges,
  JournalRow,
  JournalStore,
  RecordVersion,
  RegisterChanges,
  TaskState,
} from "../../contracts/store.ts";
import type { ReadRows, Rows, Tables } from "../../contracts/store/tables.ts";
import { fromJson, toJson } from "../json.ts";
import { JOURNAL } from "../tables/journal.ts";
import { COMMITS, TASKS } from "../tables/tasks.ts";
import { nextNumber, TOKENS } from "./counters.ts";
import { deleteRecords, putRecords } from "./record-changes.ts";
import { changeRegister } from "./register-changes.ts";
import { pagesOf } from "./pages.ts";
import { requireVersions } from "./versions.ts";

const ERASED_AT_ONCE = 50;

export class TableJournal implements JournalStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async write(
    written: readonly JournalRow[],
    register?: RegisterChanges,
    expect: readonly RecordVersion[] = [],
  ): Promise<void> {
    await this.#tables.transact(async (rows) => {
      const expected = expect.map(({ kind, id, version }) => ({ kind, id, expect: version }));
      await requireVersions(rows, expected);
      if (register !== undefined) await changeRegister(rows, register);
      await append(rows, written);
      if (written.length > 0) await nextNumber(rows, TOKENS, 1);
    });
  }

  async read(task: string): Promise<readonly JournalRow[]> {
    const found = await this.#tables.read(async (rows) => rows.list(JOURNAL, { of: [{ task }] }));
    return found.map(({ number: _number, output, ...row }) => ({ ...row, output: fromJson(output) }));
  }

  async commit(task: string, at: string, changes: CommitChanges): Promise<void> {
    await this.#tables.transact(async (rows) => {
      if (await isCommitted(rows, task)) return;
      const [row] = await rows.get(TASKS, [{ id: task }]);
      if (row?.state !== "running" && row?.state !== "needs-attention") throw refused(task, row?.state);
      await rows.put(COMMITS, [{ task, at }]);
      await rows.put(TASKS, [{ ...row, state: "running" }]);
      await deleteRecords(rows, changes.deleteRecords);
      await putRecords(rows, changes.put);
      await changeRegister(rows, changes.register);
    });
  }

  async isCommitted(task: string): Promise<boolean> {
    return this.#tables.read(async (rows) => isCommitted(rows, task));
  }
}

export async function isCommitted(rows: ReadRows, task: string): Promise<boolean> {
  return (await rows.get(COMMITS, [{ task }]))[0] !== undefined;
}

/** Prior states go. They may have megabytes each. */
export async function erasePriorStates(rows: Rows, task: string): Promise<void> {
  for await (const page of pagesOf(rows, JOURNAL, { of: [{ task }] }, ({ number }) => ({ number }), ERASED_AT_ONCE)) {
    const kept = page.filter(({ undo }) => undo !== null);
    await rows.put(
      JOURNAL,
      kept.map((row) => ({ ...row, undo: null })),
    );
  }
}

async function append(rows: Rows, written: readonly JournalRow[]): Promise<void> {
  const of = [...new Set(written.map(({ task }) => task))].map((task) => ({ task }));
  const last = await rows.list(JOURNAL, { of, reverse: true, limit: 1, columns: ["task", "number"] });
  const numbers = new Map(last.map(({ task, number }) => [task, number]));
  const numbered = written.map(({ task, action, phase, state, attempt, undo, output, at }) => {
    const number = (numbers.get(task) ?? 0) + 1;
    numbers.set(task, number);
    return { task, number, action, phase, state, attempt, undo, output: toJson(output), at };
  });
  await rows.put(JOURNAL, numbered);
}

function refused(task: string, state: TaskState | undefined): HostwrightError {
  const why = state === undefined ? "is not in the store" : `is ${state}`;
  return new HostwrightError(
    "HW_TASK_STATE",
    `Task ${task} ${why}: its commit was refused and no record was changed.`,
    { data: { task, state } },
  );
}
