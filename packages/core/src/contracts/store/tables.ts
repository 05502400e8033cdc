/** What a column holds. Of `json` the text is given and taken as it is; with `?` it may be null. */
export type ColumnType = "text" | "text?" | "integer" | "integer?" | "json" | "json?";

export type Value = string | number | null;

/** The order in which rows can be listed: an index, of the rows that have something in all of its columns. */
export interface ListDefinition {
  /** Together they tell each row from all others. */
  readonly columns: readonly string[];
  /** And in this one. */
  readonly where?: string;
  /** No two rows are alike in all columns. */
  readonly unique?: true;
}

/** A table as data: from it a store makes its statements. Names are of letters and `_`. */
export interface TableDefinition<Row extends object, Key extends keyof Row> {
  readonly name: string;
  readonly columns: { readonly [Name in keyof Row]: ColumnType };
  readonly key: readonly (Key & string)[];
  /** By name, beside the order of the key. */
  readonly lists: Readonly<Record<string, ListDefinition>>;
}

/**
 * Which rows: those of one or several beginnings of a list, one beginning after the other and each in the order of the
 * list. Text is in the order of its code points, and holds neither U+0000 nor half a surrogate pair.
 */
export interface Query<Row extends object, Column extends keyof Row = keyof Row> {
  /** Name of the list; default: the order of the key. */
  readonly by?: string;
  /** What the first columns of the list are; default: one beginning, of all rows. Empty: none. */
  readonly of?: readonly Partial<Row>[];
  /** Only what comes after this, in the next columns. */
  readonly after?: Partial<Row>;
  /** Only what comes before this, in the next column. */
  readonly before?: Partial<Row>;
  /** Only what begins with this text in the next column. */
  readonly begins?: string;
  /** From the last to the first: `after` is what is less, `before` what is greater. */
  readonly reverse?: boolean;
  /** Of rows that are alike up to this column of the list only the first; costs what it gives, however many there are. */
  readonly each?: keyof Row;
  /** Of each beginning at most; default: all. */
  readonly limit?: number;
  /** What is read of each row; default: all. */
  readonly columns?: readonly Column[];
}

/** Rows as they are in one transaction. Each call is one question to the store, however much it asks for. */
export interface ReadRows {
  /** In the order of the keys; undefined where there is none. */
  get<Row extends object, Key extends keyof Row, Column extends keyof Row = keyof Row>(
    table: TableDefinition<Row, Key>,
    keys: readonly NoInfer<Pick<Row, Key>>[],
    columns?: readonly Column[],
  ): Promise<readonly (Pick<Row, Column> | undefined)[]>;
  list<Row extends object, Key extends keyof Row, Column extends keyof Row = keyof Row>(
    table: TableDefinition<Row, Key>,
    query: Query<NoInfer<Row>, Column>,
  ): Promise<readonly Pick<Row, Column>[]>;
  /** How many `list` would give. */
  count<Row extends object, Key extends keyof Row>(
    table: TableDefinition<Row, Key>,
    query: Pick<Query<NoInfer<Row>>, "by" | "of" | "after" | "before">,
  ): Promise<number>;
}

export interface Rows extends ReadRows {
  /** Sets whole rows, whether they were there or not. */
  put<Row extends object, Key extends keyof Row>(
    table: TableDefinition<Row, Key>,
    rows: readonly NoInfer<Row>[],
  ): Promise<void>;
  /** What is not there is no error. */
  remove<Row extends object, Key extends keyof Row>(
    table: TableDefinition<Row, Key>,
    keys: readonly NoInfer<Pick<Row, Key>>[],
  ): Promise<void>;
}

/** A row, or a part of one, whatever its table is. */
export type AnyRow = Readonly<Record<string, Value>>;
export type AnyQuery = Query<Record<string, Value>, string>;
export interface AnyTable {
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly key: readonly string[];
  readonly lists: Readonly<Record<string, ListDefinition>>;
}

/** `Rows` as a store writes them, which knows no table; the types of `Rows` are for who asks. */
export interface AnyRows {
  get(table: AnyTable, keys: readonly AnyRow[], columns?: readonly string[]): Promise<readonly (AnyRow | undefined)[]>;
  list(table: AnyTable, query: AnyQuery): Promise<readonly AnyRow[]>;
  count(table: AnyTable, query: Pick<AnyQuery, "by" | "of" | "after" | "before">): Promise<number>;
  put(table: AnyTable, rows: readonly AnyRow[]): Promise<void>;
  remove(table: AnyTable, keys: readonly AnyRow[]): Promise<void>;
}

/**
 * Tables with serialisable transactions: whatever runs at the same time, in whatever process, it is as if one had run after
 * the other. Core knows what is in them, and a store does not.
 */
export interface Tables {
  /** `work` sees one state of all tables, and awaits nothing but `rows`. @throws HW_STORE_BUSY, HW_STORE_FAILED, HW_STORE_DAMAGED, HW_CLOSED */
  read<T>(work: (rows: ReadRows) => Promise<T>): Promise<T>;
  /**
   * All that `work` writes, durable when this returns, or nothing when it throws. `work` awaits nothing but `rows`, and may be
   * run again when the store could not serve it. `waitMs`: how long a store that is locked, and then one that is full
   * too, is waited for; default: as long as the store was opened with, for locks alone.
   * @throws HW_STORE_BUSY, HW_STORE_FAILED, HW_STORE_DAMAGED, HW_DISK_FULL, HW_PERMISSION_DENIED, HW_CLOSED
   */
  transact<T>(work: (rows: Rows) => Promise<T>, waitMs?: number): Promise<T>;
  /** Another value after each change of a table, by whatever process; asked for before what it is to stand for is read. */
  changed(): Promise<string>;
}
