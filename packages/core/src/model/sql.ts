import { HostwrightError } from "../errors/hostwright-error.ts";

declare const made: unique symbol;

/**
 * SQL text that was made by `sql`, the functions beside it and a plugin's own quoting: nothing else can be spliced into a
 * statement.
 */
export type Sql = string & { readonly [made]: true };

/** Builds a statement of fixed text and `Sql` values: sql`DROP DATABASE ${identifier(name)}`. */
export function sql(strings: TemplateStringsArray, ...values: readonly Sql[]): Sql {
  return String.raw({ raw: strings }, ...values) as Sql;
}

/** Several as one text. Default separator: a comma. */
export function joinSql(parts: readonly Sql[], separator: ", " | " " | " OR " | ";\n" | "\nUNION ALL " = ", "): Sql {
  return parts.join(separator) as Sql;
}

/** A whole number. @throws HW_QUOTE_REFUSED */
export function sqlNumber(value: number): Sql {
  if (!Number.isSafeInteger(value)) throw refusedSql("a number", String(value));
  return String(value) as Sql;
}

/** Words of the server's own, such as a privilege: letters, digits and `_`. @throws HW_QUOTE_REFUSED */
export function sqlKeyword(value: string): Sql {
  if (!/^[A-Za-z][A-Za-z0-9_]*( [A-Za-z]+)*$/.test(value)) throw refusedSql("a keyword", value);
  return value as Sql;
}

/** The error for a value that has no safe form in SQL. It may be a secret: only its length is told. */
export function refusedSql(what: string, value: string): HostwrightError {
  const message = `${what} of ${value.length} characters cannot be written safely in SQL`;
  return new HostwrightError("HW_QUOTE_REFUSED", message);
}
