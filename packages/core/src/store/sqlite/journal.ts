import { HostwrightError } from "../../errors/hostwright-error.ts";
import type {
  CommitChanges,
  JournalRow,
  JournalStore,
  RecordVersion,
  RegisterChanges,
  TaskState,
} from "../../contracts/store.ts";
import type { Transactions } from "./transactions.ts";
import { fromJson, toJson } from "./json.ts";
import { TOKENS } from "./leases.ts";
import { deleteRecords, nextNumber, putRecords } from "./record-changes.ts";
import { requireVersion } from "./versions.ts";
import { changeRegister } from "./register.ts";

interface Row extends Omit<JournalRow, "output"> {
  readonly output: string;
}

export class SqliteJournal implements JournalStore {
  readonly #db: Transactions;

  constructor(db: Transactions) {
    this.#db = db;
  }

  async write(
    rows: readonly JournalRow[],
    register?: RegisterChanges,
    expect: readonly RecordVersion[] = [],
  ): Promise<void> {
    await this.#db.write(() => {
      for (const record of expect) requireVersion(this.#db, record, record.version);
      for (const row of rows) this.#append(row);
      if (register !== undefined) changeRegister(this.#db, register);
      if (rows.length > 0) nextNumber(this.#db, TOKENS, 1);
    });
  }

  async read(task: string): Promise<readonly JournalRow[]> {
    const sql =
      "SELECT task, action, phase, state, attempt, undo, output, at FROM journal WHERE task = ? ORDER BY number";
    const rows = await this.#db.read(() => this.#db.all<Row>(sql, task));
    return rows.map((row) => ({ ...row, output: fromJson(row.output) }));
  }

  async commit(task: string, at: string, changes: CommitChanges): Promise<void> {
    await this.#db.write(() => {
      if (this.#isCommitted(task)) return;
      this.#requireOpen(task);
      this.#db.run("INSERT INTO commits (task, at) VALUES (?, ?)", task, at);
      this.#db.run("UPDATE tasks SET state = 'running' WHERE id = ? AND state <> 'running'", task);
      deleteRecords(this.#db, changes.deleteRecords);
      putRecords(this.#db, changes.put);
      changeRegister(this.#db, changes.register);
    });
  }

  async isCommitted(task: string): Promise<boolean> {
    return this.#db.read(() => this.#isCommitted(task));
  }

  #append(row: JournalRow): void {
    this.#db.run(
      `INSERT INTO journal (task, number, action, phase, state, attempt, undo, output, at)
       VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM journal WHERE task = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
      row.task,
      row.action,
      row.phase,
      row.state,
      row.attempt,
      row.undo,
      toJson(row.output),
      row.at,
    );
  }

  #isCommitted(task: string): boolean {
    return this.#db.get("SELECT 1 FROM commits WHERE task = ?", task) !== undefined;
  }

  #requireOpen(task: string): void {
    const state = this.#db.get<{ state: TaskState }>("SELECT state FROM tasks WHERE id = ?", task)?.state;
    if (state === "running" || state === "needs-attention") return;
    const why = state === undefined ? "is not in the store" : `is ${state}`;
    throw new HostwrightError(
      "HW_TASK_STATE",
      `Task ${task} ${why}: its commit was refused and no record was changed.`,
      {
        data: { task, state },
      },
    );
  }
}
