import type {
  AnyQuery,
  AnyRow,
  AnyRows,
  AnyTable,
  ReadRows,
  Rows,
  TableDefinition,
  Tables,
  Value,
} from "../../src/contracts/store/tables.ts";
import { beginningOf, type Beginning } from "../../src/store/beginning.ts";
import { byText } from "../../src/store/order.ts";

/** Tables in memory: every answer is found by a look at all rows, and a transaction that fails is taken back change by change. */
export class MemoryTables implements Tables {
  readonly #tables = new Map<string, Map<string, AnyRow>>();
  #undo: (() => void)[] = [];
  #changes = 0;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #rows = {
    get: async (table, keys, columns) =>
      keys.map((key) => {
        const row = this.#of(table).get(textOf(key, table.key));
        return row === undefined ? undefined : only(row, columns);
      }),
    list: async (table, query) => this.#list(table, query).map((row) => only(row, query.columns)),
    count: async (table, query) => this.#list(table, query).length,
    put: async (table, rows) => {
      for (const row of rows) this.#set(table, row, only(row, Object.keys(table.columns)));
    },
    remove: async (table, keys) => {
      for (const key of keys) this.#set(table, key, undefined);
    },
  } satisfies AnyRows as AnyRows as Rows;

  async read<T>(work: (rows: ReadRows) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => work(this.#rows));
  }

  async transact<T>(work: (rows: Rows) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      this.#undo = [];
      try {
        return await work(this.#rows);
      } catch (error) {
        for (const undo of this.#undo.toReversed()) undo();
        throw error;
      }
    });
  }

  async changed(): Promise<string> {
    return String(this.#changes);
  }

  /** For who looks inside, whatever runs. */
  all<Row extends object, Key extends keyof Row>(table: TableDefinition<Row, Key>): readonly Row[] {
    return [...this.#of(table).values()] as Row[];
  }

  /** Likewise. */
  find<Row extends object, Key extends keyof Row>(
    table: TableDefinition<Row, Key>,
    key: NoInfer<Pick<Row, Key>>,
  ): Row | undefined {
    return this.#of(table).get(textOf(key as AnyRow, table.key)) as Row | undefined;
  }

  #of({ name }: { readonly name: string }): Map<string, AnyRow> {
    const rows = this.#tables.get(name) ?? new Map<string, AnyRow>();
    this.#tables.set(name, rows);
    return rows;
  }

  #set(table: AnyTable, at: AnyRow, row: AnyRow | undefined): void {
    const [rows, key] = [this.#of(table), textOf(at, table.key)];
    const before = rows.get(key);
    const set = (to: AnyRow | undefined): unknown => (to === undefined ? rows.delete(key) : rows.set(key, to));
    this.#undo.push(() => void set(before));
    this.#changes += 1;
    set(row);
  }

  #list(table: AnyTable, query: AnyQuery): readonly AnyRow[] {
    const { of = [{}], reverse = false, limit } = query;
    if (of.length === 0) return [];
    const beginning = beginningOf(table, query);
    const inOrder = (a: AnyRow, b: AnyRow): number => compare(a, b, beginning.columns) * (reverse ? -1 : 1);
    return of.flatMap((one) => {
      const found = [...this.#of(table).values()].filter((row) => isAmong(row, query, beginning, one));
      return firstOfEach(found.toSorted(inOrder), beginning).slice(0, limit);
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

function isAmong(
  row: AnyRow,
  { after = {}, before = {}, begins, reverse = false }: AnyQuery,
  beginning: Beginning,
  of: Partial<AnyRow>,
): boolean {
  const beyond = (bound: Partial<AnyRow>, columns: readonly string[]): number =>
    compare(row, bound as AnyRow, columns) * (reverse ? -1 : 1);
  return (
    beginning.filled.every((name) => row[name] !== null) &&
    beginning.of.every((name) => row[name] === of[name] && row[name] !== null) &&
    (beginning.after.length === 0 || beyond(after, beginning.after) > 0) &&
    (before[beginning.next] === undefined || beyond(before, [beginning.next]) < 0) &&
    (begins === undefined || String(row[beginning.next]).startsWith(begins))
  );
}

function firstOfEach(rows: readonly AnyRow[], { each }: Beginning): readonly AnyRow[] {
  if (each.length === 0) return rows;
  return rows.filter((row, index) => {
    const before = rows[index - 1];
    return before === undefined || compare(before, row, each) !== 0;
  });
}

function compare(a: AnyRow, b: AnyRow, columns: readonly string[]): number {
  for (const name of columns) {
    const order = compareValues(a[name] ?? null, b[name] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: Value, b: Value): number {
  return typeof a === "number" && typeof b === "number" ? a - b : byText(String(a), String(b));
}

function only(row: AnyRow, columns: readonly string[] = Object.keys(row)): AnyRow {
  return Object.fromEntries(columns.map((name) => [name, row[name] ?? null]));
}

function textOf(row: AnyRow, columns: readonly string[]): string {
  return JSON.stringify(columns.map((name) => row[name]));
}
