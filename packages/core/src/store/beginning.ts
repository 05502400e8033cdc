import type { AnyQuery, AnyRow, AnyTable } from "../contracts/store/tables.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";

/** A query by the columns of its list: first those that `of` gives, then those of `after`. */
export interface Beginning {
  /** Of the list. */
  readonly columns: readonly string[];
  /** Columns in which its rows have something, and others may have nothing. */
  readonly filled: readonly string[];
  /** Index that is to be used; null: the key, or what is found alone. */
  readonly index: string | null;
  readonly of: readonly string[];
  readonly after: readonly string[];
  /** That follows `of`. */
  readonly next: string;
  /** Up to which rows are alike, without those of `of`. */
  readonly each: readonly string[];
}

/** @throws HW_INTERNAL when the columns that are named are not those that the list has there */
export function beginningOf(table: AnyTable, query: AnyQuery): Beginning {
  const { by, of = [{}], after = {}, before = {}, each } = query;
  const list = by === undefined ? { columns: table.key, unique: true, where: undefined } : table.lists[by];
  if (list === undefined) throw wrong(table, `there is no list ${by}`);
  const { columns } = list;
  const first = leading(columns, of[0] ?? {});
  const rest = columns.slice(first.length);
  const beginning = {
    columns,
    filled: [...columns, ...(list.where === undefined ? [] : [list.where])].filter((name) =>
      table.columns[name]?.endsWith("?"),
    ),
    index: list.unique === true ? null : `${table.name}_${by}`,
    of: first,
    after: leading(rest, after),
    next: rest[0] ?? "",
    each: each === undefined ? [] : rest.slice(0, rest.indexOf(each) + 1),
  };
  const named = [of[0] ?? {}, after].flatMap(Object.keys).length;
  const placed = beginning.of.length + beginning.after.length;
  const strange =
    Object.keys(before).some((name) => name !== rest[0]) ||
    (each !== undefined && (!rest.includes(each) || query.before !== undefined || query.begins !== undefined));
  if (named !== placed || strange) throw wrong(table, `it has no such place in ${columns.join(", ")}`);
  return beginning;
}

function leading(columns: readonly string[], part: Partial<AnyRow>): readonly string[] {
  const end = columns.findIndex((name) => part[name] === undefined);
  return end < 0 ? columns : columns.slice(0, end);
}

function wrong(table: AnyTable, why: string): HostwrightError {
  return new HostwrightError("HW_INTERNAL", `The table ${table.name} was asked for a list: ${why}.`);
}
