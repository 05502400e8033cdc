import type { AnyQuery, AnyTable } from "../../contracts/store/tables.ts";
import type { Beginning } from "../beginning.ts";

type Form = Pick<AnyQuery, "reverse" | "before" | "begins">;

/** The values of the first columns: of a statement's own, or of many beginnings in one JSON text, each an array. */
type Source = "values" | "json";

const MANY = "json_each(?) AS w CROSS JOIN ";

/** Values: those of `of`, then of `after`, `before`, `begins` twice, `limit`. */
export function listSql(table: AnyTable, query: Form, beginning: Beginning, columns: readonly string[]): string {
  return `SELECT ${names(columns)} ${fromSql(table, query, beginning)} ${orderSql(query, beginning)} LIMIT ?`;
}

/** Of many beginnings, one after the other. Values: theirs as JSON, then as `listSql`, without a limit. */
export function listManySql(table: AnyTable, query: Form, beginning: Beginning, columns: readonly string[]): string {
  const order = orderSql(query, beginning).replace("ORDER BY", "ORDER BY w.key,");
  return `SELECT ${names(columns)} ${fromSql(table, query, beginning, "json")} ${order}`;
}

/** Values: as `listSql`, without a limit. */
export function countSql(table: AnyTable, query: Form, beginning: Beginning): string {
  return `SELECT count(*) ${fromSql(table, query, beginning)}`;
}

/** One step of the index for each. Values: those of `of`, then of `after`, then `limit`. */
export function eachSql(table: AnyTable, query: Form, beginning: Beginning, columns: readonly string[]): string {
  const { of, after, each } = beginning;
  const order = orderSql(query, beginning);
  const first = (what: readonly string[], relation: string): string => {
    const from = fromSql(table, {}, { ...beginning, of: [], after: [] });
    const given = of.map((name, index) => ` AND ${column(name)} = ?${index + 1}`).join("");
    return `SELECT ${names(what)} ${from}${given}${relation} ${order} LIMIT 1`;
  };
  const beyond = query.reverse === true ? "<" : ">";
  const start =
    after.length === 0
      ? ""
      : ` AND (${names(after)}) ${beyond} (${after.map((_, at) => `?${of.length + at + 1}`).join(", ")})`;
  const steps = each.map((_, index) => `e${index}`).join(", ");
  const next = each.map((name) => `(${first([name], ` AND (${names(each)}) ${beyond} (${steps})`)})`).join(", ");
  // `after` may say more than `each` does: then the first of its own group are left out.
  const rows = first(table.key, ` AND (${names(each)}) = (${steps})${start}`);
  return `WITH RECURSIVE walk (${steps}) AS (SELECT * FROM (${first(each, start)}) UNION ALL SELECT ${next} FROM walk WHERE e0 IS NOT NULL)
    SELECT ${columns.map((name) => `f.${quoted(name)}`).join(", ")} FROM walk CROSS JOIN ${quoted(table.name)} AS f
    WHERE (${table.key.map((name) => `f.${quoted(name)}`).join(", ")}) = (${rows}) LIMIT ?`;
}

/** Values: those of the key. */
export function getSql(table: AnyTable, columns: readonly string[]): string {
  return `SELECT ${names(columns)} FROM ${quoted(table.name)} AS t WHERE ${keySql(table)}`;
}

/** The place of each key comes before its columns. Value: the keys as JSON. */
export function getManySql({ name, key }: AnyTable, columns: readonly string[]): string {
  return `SELECT w.key, ${names(columns)} FROM ${MANY}${quoted(name)} AS t WHERE ${key.map(ofJson).join(" AND ")}`;
}

export function insertSql(table: AnyTable, columns: readonly string[]): string {
  const into = `INSERT INTO ${quoted(table.name)} (${columns.map(quoted).join(", ")})`;
  const values = `VALUES (${columns.map(() => "?").join(", ")})`;
  return `${into} ${values} ON CONFLICT (${table.key.map(quoted).join(", ")}) DO NOTHING`;
}

export function updateSql(table: AnyTable, columns: readonly string[]): string {
  const set = columns.map((name) => `${quoted(name)} = ?`).join(", ");
  return `UPDATE ${quoted(table.name)} AS t SET ${set} WHERE ${keySql(table)}`;
}

export function deleteSql(table: AnyTable): string {
  return `DELETE FROM ${quoted(table.name)} AS t WHERE ${keySql(table)}`;
}

function fromSql(
  { name }: AnyTable,
  { reverse, before, begins }: Form,
  { index, filled, of, after, next }: Beginning,
  source: Source = "values",
): string {
  const [beyond, short] = reverse === true ? ["<", ">"] : [">", "<"];
  const conditions = [
    "1",
    ...filled.map((one) => `${column(one)} IS NOT NULL`),
    ...(source === "json" ? of.map(ofJson) : of.map((one) => `${column(one)} = ?`)),
    ...(after.length === 0 ? [] : [`(${names(after)}) ${beyond} (${after.map(() => "?").join(", ")})`]),
    ...(before === undefined ? [] : [`${column(next)} ${short} ?`]),
    ...(begins === undefined ? [] : [`${column(next)} >= ? AND ${column(next)} < ?`]),
  ];
  const by = index === null ? "" : ` INDEXED BY ${quoted(index)}`;
  return `FROM ${source === "json" ? MANY : ""}${quoted(name)} AS t${by} WHERE ${conditions.join(" AND ")}`;
}

function orderSql({ reverse }: Form, { columns }: Beginning): string {
  return `ORDER BY ${columns.map((name) => `${column(name)}${reverse === true ? " DESC" : ""}`).join(", ")}`;
}

function keySql({ key }: AnyTable): string {
  return key.map((name) => `${column(name)} = ?`).join(" AND ");
}

function ofJson(name: string, index: number): string {
  return `${column(name)} = w.value ->> ${index}`;
}

function names(columns: readonly string[]): string {
  return columns.map(column).join(", ");
}

function column(name: string): string {
  return `t.${quoted(name)}`;
}

function quoted(name: string): string {
  return `"${name}"`;
}
