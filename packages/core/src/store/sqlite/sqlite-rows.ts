import type { AnyQuery, AnyRow, AnyRows, AnyTable, Value } from "../../contracts/store/tables.ts";
import { breathe, mapMany } from "../../model/breathe.ts";
import { beginningOf, type Beginning } from "../beginning.ts";
import type { Database } from "./database.ts";
import {
  countSql,
  deleteSql,
  eachSql,
  getManySql,
  getSql,
  insertSql,
  listManySql,
  listSql,
  updateSql,
} from "./statements.ts";

type Statements = Pick<Database, "values" | "iterate" | "run">;

/** Of what one statement takes: it is worked in one turn of the event loop. */
const AT_ONCE = 500;

const NO_LIMIT = -1;
/** Beyond every text that begins as one does. */
const LAST_CHARACTER = "\u{10FFFF}";

/** Rows of a SQLite file, inside a transaction. The text of a statement is made once for each form in which a table is asked. */
export class SqliteRows implements AnyRows {
  readonly #db: Statements;
  readonly #texts = new Map<string, string>();

  constructor(db: Statements) {
    this.#db = db;
  }

  async get(
    table: AnyTable,
    keys: readonly AnyRow[],
    columns: readonly string[] = Object.keys(table.columns),
  ): Promise<readonly (AnyRow | undefined)[]> {
    return inParts(keys, async (some) => this.#get(table, some, columns));
  }

  async list(table: AnyTable, query: AnyQuery): Promise<readonly AnyRow[]> {
    const { of = [{}], limit, each, columns = Object.keys(table.columns) } = query;
    if (of.length === 0) return [];
    const beginning = beginningOf(table, query);
    const form = `${formOf(table, query, beginning)} ${columns.join()}`;
    const rows = async (found: Iterable<readonly Value[]>): Promise<readonly AnyRow[]> =>
      mapMany(found, (one) => rowOf(columns, one));
    if (each === undefined && limit === undefined && of.length > 1) {
      const sql = this.#text(`many ${form}`, () => listManySql(table, query, beginning, columns));
      const rest = bounds(query, beginning, {}).slice(beginning.of.length);
      return inParts(of, async (some) => rows(this.#db.iterate(sql, jsonOf(some, beginning.of), ...rest)));
    }
    const make = each === undefined ? listSql : eachSql;
    const sql = this.#text(`list ${form} ${each}`, () => make(table, query, beginning, columns));
    const found: (readonly AnyRow[])[] = [];
    for (const one of of)
      found.push(await rows(this.#db.iterate(sql, ...bounds(query, beginning, one), limit ?? NO_LIMIT)));
    return found.flat();
  }

  async count(table: AnyTable, query: Pick<AnyQuery, "by" | "of" | "after" | "before">): Promise<number> {
    const { of = [{}] } = query;
    if (of.length === 0) return 0;
    const beginning = beginningOf(table, query);
    const sql = this.#text(`count ${formOf(table, query, beginning)}`, () => countSql(table, query, beginning));
    const counts = of.map((one) => this.#db.values(sql, ...bounds(query, beginning, one))[0]?.[0]);
    return counts.reduce<number>((sum, count) => sum + Number(count), 0);
  }

  async put(table: AnyTable, rows: readonly AnyRow[]): Promise<void> {
    const columns = Object.keys(table.columns);
    const insert = this.#text(`insert ${table.name}`, () => insertSql(table, columns));
    await mapMany(rows, (row) => {
      if (this.#db.run(insert, ...valuesOf(row, columns)).changes === 0) this.#change(table, columns, row);
    });
  }

  async remove(table: AnyTable, keys: readonly AnyRow[]): Promise<void> {
    const sql = this.#text(`delete ${table.name}`, () => deleteSql(table));
    await mapMany(keys, (key) => this.#db.run(sql, ...valuesOf(key, table.key)));
  }

  #get(table: AnyTable, keys: readonly AnyRow[], names: readonly string[]): readonly (AnyRow | undefined)[] {
    const [first, ...others] = keys;
    if (first === undefined) return [];
    const form = `${table.name} ${names.join()}`;
    if (others.length === 0) {
      const sql = this.#text(`get ${form}`, () => getSql(table, names));
      const [values] = this.#db.values(sql, ...valuesOf(first, table.key));
      return [values === undefined ? undefined : rowOf(names, values)];
    }
    const sql = this.#text(`get many ${form}`, () => getManySql(table, names));
    const found: (AnyRow | undefined)[] = keys.map(() => undefined);
    for (const [place, ...values] of this.#db.values(sql, jsonOf(keys, table.key)))
      found[Number(place)] = rowOf(names, values);
    return found;
  }

  /** Only what differs, so that no index is written for nothing. */
  #change(table: AnyTable, columns: readonly string[], row: AnyRow): void {
    const [before] = this.#get(table, [row], columns);
    const changed = columns.filter((name) => before?.[name] !== row[name]);
    if (changed.length === 0) return;
    const update = this.#text(`update ${table.name} ${changed.join()}`, () => updateSql(table, changed));
    this.#db.run(update, ...valuesOf(row, changed), ...valuesOf(row, table.key));
  }

  #text(form: string, make: () => string): string {
    const known = this.#texts.get(form);
    if (known !== undefined) return known;
    const text = make();
    this.#texts.set(form, text);
    return text;
  }
}

/** What is asked for part by part, so that the event loop turns in between (decisions.md D54). */
async function inParts<T, R>(items: readonly T[], work: (some: readonly T[]) => Promise<readonly R[]>): Promise<R[]> {
  const parts: (readonly R[])[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    const pause = from > 0 ? breathe() : null;
    if (pause !== null) await pause;
    parts.push(await work(items.slice(from, from + AT_ONCE)));
  }
  return parts.flat();
}

/** What tells one statement from another. */
function formOf({ name }: AnyTable, query: AnyQuery, { of, after }: Beginning): string {
  const { by, before, begins, reverse } = query;
  return [name, by, of.length, after.length, before !== undefined, begins !== undefined, reverse].join(" ");
}

function bounds({ after = {}, before, begins }: AnyQuery, beginning: Beginning, of: Partial<AnyRow>): Value[] {
  return [
    ...valuesOf(of, beginning.of),
    ...valuesOf(after, beginning.after),
    ...(before === undefined ? [] : valuesOf(before, [beginning.next])),
    ...(begins === undefined ? [] : [begins, begins + LAST_CHARACTER]),
  ];
}

function jsonOf(rows: readonly Partial<AnyRow>[], names: readonly string[]): string {
  return JSON.stringify(rows.map((row) => valuesOf(row, names)));
}

function valuesOf(row: Partial<AnyRow>, names: readonly string[]): Value[] {
  return names.map((name) => row[name] ?? null);
}

function rowOf(names: readonly string[], values: readonly Value[]): AnyRow {
  const row: Record<string, Value> = {};
  for (const [index, name] of names.entries()) row[name] = values[index] ?? null;
  return row;
}
