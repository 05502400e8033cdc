import {
  beginningOf,
  type AnyQuery,
  type AnyRow,
  type AnyRows,
  type AnyTable,
  type Value,
} from "@hostwright/core/kernel";
import type { ClientBase } from "pg";

/** Makes what is missing. Text is compared by its bytes, which in UTF-8 is the order of its code points. */
export function schemaSql({ name, columns, key, lists }: AnyTable): readonly string[] {
  const typed = Object.entries(columns).map(([column, type]) => {
    const sql = type.startsWith("integer") ? "bigint" : 'text COLLATE "C"';
    return `${quoted(column)} ${sql}${type.endsWith("?") ? "" : " NOT NULL"}`;
  });
  const indexes = Object.entries(lists).map(([list, { columns: listed, where, unique }]) => {
    const filled = [...listed, ...(where === undefined ? [] : [where])].filter((one) => columns[one]?.endsWith("?"));
    const some = filled.length === 0 ? "" : ` WHERE ${filled.map((one) => `${quoted(one)} IS NOT NULL`).join(" AND ")}`;
    const kind = unique === true ? "UNIQUE INDEX" : "INDEX";
    return `CREATE ${kind} IF NOT EXISTS ${quoted(`${name}_${list}`)} ON ${quoted(name)} (${names(listed)})${some}`;
  });
  const primary = `PRIMARY KEY (${names(key)})`;
  return [`CREATE TABLE IF NOT EXISTS ${quoted(name)} (${[...typed, primary].join(", ")})`, ...indexes];
}

/** Rows inside one transaction of a client. However many are asked for, a call is one statement. */
export class PostgresRows implements AnyRows {
  readonly #client: ClientBase;

  constructor(client: ClientBase) {
    this.#client = client;
  }

  async get(
    table: AnyTable,
    keys: readonly AnyRow[],
    columns: readonly string[] = Object.keys(table.columns),
  ): Promise<readonly (AnyRow | undefined)[]> {
    if (keys.length === 0) return [];
    const given = new Given();
    const asked = given.rows(table, table.key, keys);
    const on = table.key.map((name) => `t.${quoted(name)} = w.${quoted(name)}`).join(" AND ");
    const sql = `SELECT w.place, ${names(columns, "t")} FROM ${asked} JOIN ${quoted(table.name)} t ON ${on}`;
    const found: (AnyRow | undefined)[] = keys.map(() => undefined);
    for (const [place, ...values] of await this.#ask(sql, given))
      found[Number(place) - 1] = rowOf(table, columns, values);
    return found;
  }

  async list(table: AnyTable, query: AnyQuery): Promise<readonly AnyRow[]> {
    const { of = [{}], limit, columns = Object.keys(table.columns) } = query;
    if (of.length === 0) return [];
    const given = new Given();
    const most = limit === undefined ? "" : ` LIMIT ${given.value(limit, "bigint")}`;
    const found = `SELECT t.* ${this.#found(table, query, given)}${most}`;
    const beginning = beginningOf(table, query);
    const asked = given.rows(table, beginning.of, of);
    const order = `ORDER BY w.place, ${inOrder(beginning.columns, "f", query.reverse)}`;
    const sql = `SELECT ${names(columns, "f")} FROM ${asked} CROSS JOIN LATERAL (${found}) f ${order}`;
    return (await this.#ask(sql, given)).map((values) => rowOf(table, columns, values));
  }

  async count(table: AnyTable, query: Pick<AnyQuery, "by" | "of" | "after" | "before">): Promise<number> {
    const { of = [{}] } = query;
    if (of.length === 0) return 0;
    const given = new Given();
    const found = `SELECT t.* ${this.#found(table, query, given)}`;
    const asked = given.rows(table, beginningOf(table, query).of, of);
    const [[count] = []] = await this.#ask(`SELECT count(*) FROM ${asked} CROSS JOIN LATERAL (${found}) f`, given);
    return Number(count);
  }

  async put(table: AnyTable, rows: readonly AnyRow[]): Promise<void> {
    const columns = Object.keys(table.columns);
    // One statement sets a row once: the last of several counts.
    const last = new Map(rows.map((row) => [JSON.stringify(table.key.map((name) => row[name])), row]));
    if (last.size === 0) return;
    const given = new Given();
    const values = given.rows(table, columns, [...last.values()]);
    const others = columns.filter((name) => !table.key.includes(name));
    const set = others.map((name) => `${quoted(name)} = excluded.${quoted(name)}`).join(", ");
    const into = `INSERT INTO ${quoted(table.name)} (${names(columns)}) SELECT ${names(columns, "w")} FROM ${values}`;
    const change = set === "" ? "NOTHING" : `UPDATE SET ${set}`;
    await this.#ask(`${into} ON CONFLICT (${names(table.key)}) DO ${change}`, given);
  }

  async remove(table: AnyTable, keys: readonly AnyRow[]): Promise<void> {
    if (keys.length === 0) return;
    const given = new Given();
    const asked = given.rows(table, table.key, keys);
    const on = table.key.map((name) => `t.${quoted(name)} = w.${quoted(name)}`).join(" AND ");
    await this.#ask(`DELETE FROM ${quoted(table.name)} t USING ${asked} WHERE ${on}`, given);
  }

  /** Of the beginning `w`, in its order. */
  #found(table: AnyTable, query: AnyQuery, given: Given): string {
    const { after = {}, before, begins, each, reverse = false } = query;
    const beginning = beginningOf(table, query);
    const { columns, filled, of, next } = beginning;
    const [beyond, short] = reverse ? ["<", ">"] : [">", "<"];
    const value = (name: string, from: Partial<AnyRow>): string => given.value(from[name] ?? null, typeOf(table, name));
    const conditions = [
      "true",
      ...filled.map((name) => `t.${quoted(name)} IS NOT NULL`),
      ...of.map((name) => `t.${quoted(name)} = w.${quoted(name)}`),
      ...(beginning.after.length === 0
        ? []
        : [
            `(${names(beginning.after, "t")}) ${beyond} (${beginning.after.map((name) => value(name, after)).join(", ")})`,
          ]),
      ...(before === undefined ? [] : [`t.${quoted(next)} ${short} ${value(next, before)}`]),
      ...(begins === undefined ? [] : [`starts_with(t.${quoted(next)}, ${given.value(begins, "text")})`]),
    ];
    const order = `ORDER BY ${inOrder(columns, "t", reverse)}`;
    const from = `FROM ${quoted(table.name)} t WHERE ${conditions.join(" AND ")}`;
    if (each === undefined) return `${from} ${order}`;
    // PostgreSQL 17 reads them all to give the first of each.
    return `FROM (SELECT DISTINCT ON (${names([...of, ...beginning.each], "t")}) t.* ${from} ${order}) t ${order}`;
  }

  async #ask(text: string, { values }: Given): Promise<readonly (readonly (string | null)[])[]> {
    const answer = await this.#client.query<(string | null)[]>({ text, values: [...values], rowMode: "array" });
    return answer.rows;
  }
}

/** What a statement is given, and where it stands in its text. */
class Given {
  readonly values: unknown[] = [];

  value(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }

  /** Rows of these columns as `w`, with the place of each, from 1. */
  rows(table: AnyTable, columns: readonly string[], rows: readonly Partial<AnyRow>[]): string {
    const lists = columns.map((name) =>
      this.value(
        rows.map((row) => row[name] ?? null),
        `${typeOf(table, name)}[]`,
      ),
    );
    const places = this.value(
      rows.map((_, index) => index + 1),
      "bigint[]",
    );
    return `unnest(${[...lists, places].join(", ")}) AS w(${[...columns.map(quoted), "place"].join(", ")})`;
  }
}

function typeOf({ columns }: AnyTable, name: string): string {
  return columns[name]?.startsWith("integer") === true ? "bigint" : "text";
}

/** A bigint comes as text. */
function rowOf({ columns }: AnyTable, listed: readonly string[], values: readonly (string | null)[]): AnyRow {
  const row: Record<string, Value> = {};
  for (const [index, name] of listed.entries()) {
    const value = values[index] ?? null;
    row[name] = value !== null && columns[name]?.startsWith("integer") === true ? Number(value) : value;
  }
  return row;
}

function inOrder(columns: readonly string[], of: string, reverse = false): string {
  return columns.map((name) => `${of}.${quoted(name)}${reverse ? " DESC" : ""}`).join(", ");
}

function names(columns: readonly string[], of?: string): string {
  return columns.map((name) => (of === undefined ? quoted(name) : `${of}.${quoted(name)}`)).join(", ");
}

function quoted(name: string): string {
  return `"${name}"`;
}
