import { HostwrightError } from "@hostwright/core";
import { escapeIdentifier, escapeLiteral } from "pg";

declare const made: unique symbol;

/** SQL text that was made by the helpers of this file: nothing else can be spliced into a statement. */
export type Sql = string & { readonly [made]: true };

const LONGEST_IDENTIFIER_BYTES = 63;

/** Builds a statement of fixed text and `Sql` values: sql`DROP DATABASE ${identifier(name)}`. */
export function sql(strings: TemplateStringsArray, ...values: readonly Sql[]): Sql {
  return String.raw({ raw: strings }, ...values) as Sql;
}

export function join(parts: readonly Sql[], separator: ", " | " " | ";\n" = ", "): Sql {
  return parts.join(separator) as Sql;
}

/** One of the server's own words, such as a privilege. @throws HW_QUOTE_REFUSED */
export function keyword(value: string): Sql {
  if (!/^[A-Za-z][A-Za-z0-9_]*( [A-Za-z]+)*$/.test(value)) throw refused("a keyword", value);
  return value as Sql;
}

/** A string literal. @throws HW_QUOTE_REFUSED for NUL and for halves of surrogate pairs. */
export function literal(value: string): Sql {
  if (value.includes("\0") || !value.isWellFormed()) throw refused("a string", value);
  return escapeLiteral(value) as Sql;
}

/** The name of a database or role. @throws HW_QUOTE_REFUSED for what the server would cut or cannot hold. */
export function identifier(name: string): Sql {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > LONGEST_IDENTIFIER_BYTES || name.includes("\0") || !name.isWellFormed()) {
    throw refused("a name", name);
  }
  return escapeIdentifier(name) as Sql;
}

function refused(what: string, value: string): HostwrightError {
  // A value may be a secret: only its length is told.
  const message = `${what} of ${value.length} characters cannot be written safely in SQL`;
  return new HostwrightError("HW_QUOTE_REFUSED", message);
}
