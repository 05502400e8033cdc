import type { ReadRows, Rows, Tables } from "../src/contracts/store/tables.ts";

/** Tables that count the rows that are read of each, by its name. */
export class CountedTables implements Tables {
  readonly rowsRead = new Map<string, number>();
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async read<T>(work: (rows: ReadRows) => Promise<T>): Promise<T> {
    return this.#tables.read(async (rows) => work(this.#counted(rows)));
  }

  async transact<T>(work: (rows: Rows) => Promise<T>, waitMs?: number): Promise<T> {
    return this.#tables.transact(async (rows) => {
      const written = { put: rows.put.bind(rows), remove: rows.remove.bind(rows) };
      return work({ ...this.#counted(rows), ...written });
    }, waitMs);
  }

  async changed(): Promise<string> {
    return this.#tables.changed();
  }

  #counted(rows: ReadRows): ReadRows {
    return {
      get: async (table, ...rest) => this.#count(table, await rows.get(table, ...rest)),
      list: async (table, ...rest) => this.#count(table, await rows.list(table, ...rest)),
      count: async (...given) => rows.count(...given),
    };
  }

  #count<Found extends readonly unknown[]>({ name }: { readonly name: string }, found: Found): Found {
    const read = found.filter((row) => row !== undefined).length;
    this.rowsRead.set(name, (this.rowsRead.get(name) ?? 0) + read);
    return found;
  }
}
