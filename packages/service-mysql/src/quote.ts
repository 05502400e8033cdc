import { HostwrightError } from "@hostwright/core";

declare const made: unique symbol;

/** SQL text that was made by the helpers of this file: nothing else can be spliced into a statement. */
export type Sql = string & { readonly [made]: true };

const LONGEST_IDENTIFIER = 64;

/** Builds a statement of fixed text and `Sql` values: sql`DROP DATABASE ${identifier(name)}`. */
export function sql(strings: TemplateStringsArray, ...values: readonly Sql[]): Sql {
  return String.raw({ raw: strings }, ...values) as Sql;
}

export function join(parts: readonly Sql[], separator: ", " | " " | " OR " | ";\n" | "\nUNION ALL " = ", "): Sql {
  return parts.join(separator) as Sql;
}

/** A whole number that is not negative. @throws HW_QUOTE_REFUSED */
export function count(value: number): Sql {
  if (!Number.isSafeInteger(value) || value < 0) throw refused("a number", String(value));
  return String(value) as Sql;
}

/** One of the server's own words, such as a privilege, charset or plugin. @throws HW_QUOTE_REFUSED */
export function keyword(value: string): Sql {
  if (!/^[A-Za-z][A-Za-z0-9_]*( [A-Za-z]+)*$/.test(value)) throw refused("a keyword", value);
  return value as Sql;
}

/**
 * A string literal. Safe because every session of ours switches NO_BACKSLASH_ESCAPES off and speaks utf8mb4.
 * @throws HW_QUOTE_REFUSED for NUL and for halves of surrogate pairs.
 */
export function literal(value: string): Sql {
  if (value.includes("\0") || !value.isWellFormed()) throw refused("a string", value);
  return `'${value.replace(/[\\']/g, "\\$&")}'` as Sql;
}

/**
 * The name of a database, table, column or routine.
 * @throws HW_QUOTE_REFUSED for what the server has no form for: NUL, more than 64 characters, characters beyond the
 * basic plane, a blank at the end.
 */
export function identifier(name: string): Sql {
  // oxlint-disable-next-line no-control-regex -- NUL is what is looked for
  if (name === "" || name.length > LONGEST_IDENTIFIER || name.endsWith(" ") || /[\0\ud800-\udfff]/.test(name)) {
    throw refused("a name", name);
  }
  return `\`${name.replaceAll("`", "``")}\`` as Sql;
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

function refused(what: string, value: string): HostwrightError {
  // A value may be a secret: only its length is told.
  return new HostwrightError(
    "HW_QUOTE_REFUSED",
    `${what} of ${value.length} characters cannot be written safely in SQL`,
  );
}
