import { refusedSql, sql, type Sql } from "@hostwright/core/plugin";
import { escape, escapeId } from "mysql2";

const LONGEST_IDENTIFIER = 64;

/**
 * A string literal. Safe because every session of ours switches NO_BACKSLASH_ESCAPES off and speaks utf8mb4.
 * @throws HW_QUOTE_REFUSED for NUL and for halves of surrogate pairs.
 */
export function literal(value: string): Sql {
  if (value.includes("\0") || !value.isWellFormed()) throw refusedSql("a string", value);
  return escape(value) as Sql;
}

/**
 * The name of a database, table, column or routine.
 * @throws HW_QUOTE_REFUSED for what the server has no form for: NUL, more than 64 characters, characters beyond the
 * basic plane, a blank at the end.
 */
export function identifier(name: string): Sql {
  // oxlint-disable-next-line no-control-regex -- NUL is what is looked for
  if (name === "" || name.length > LONGEST_IDENTIFIER || name.endsWith(" ") || /[\0\ud800-\udfff]/.test(name)) {
    throw refusedSql("a name", name);
  }
  return escapeId(name, true) as Sql;
}

/**
 * A database's name as GRANT takes it, where `_` and `%` are wildcards: unescaped, the account of `s_a` could open `sxa`.
 * @throws HW_QUOTE_REFUSED as `identifier`, and when the escaped name is longer than 64 characters.
 */
export function grantPattern(database: string): Sql {
  return identifier(database.replace(/[\\_%]/g, "\\$&"));
}

/** `'user'@'host'`. */
export function account(user: string, host: string): Sql {
  return sql`${literal(user)}@${literal(host)}`;
}
