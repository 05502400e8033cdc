import type { SQLInputValue } from "node:sqlite";

/** What the parts of the store need of a database file: statements, and transactions to run them in. */
export interface Transactions {
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names its row, as with `all`
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined;
  /** The number of rows changed, and the row number of the last insert. */
  run(sql: string, ...values: SQLInputValue[]): { readonly changes: number; readonly row: number };
  read<T>(work: () => T): Promise<T>;
  /**
   * One transaction; `work` runs synchronously, and again after a rollback. `waitMs`: how long a lock of others, and then a
   * full disk too, is waited for; default: the file's own, for locks alone.
   */
  write<T>(work: () => T, waitMs?: number): Promise<T>;
}
