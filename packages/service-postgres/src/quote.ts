import { refusedSql, type Sql } from "@hostwright/core/plugin";
import { escapeIdentifier, escapeLiteral } from "pg";

const LONGEST_IDENTIFIER_BYTES = 63;

/** A string literal. @throws HW_QUOTE_REFUSED for NUL and for halves of surrogate pairs. */
export function literal(value: string): Sql {
  if (value.includes("\0") || !value.isWellFormed()) throw refusedSql("a string", value);
  return escapeLiteral(value) as Sql;
}

/** The name of a database or role. @throws HW_QUOTE_REFUSED for what the server would cut or cannot hold. */
export function identifier(name: string): Sql {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > LONGEST_IDENTIFIER_BYTES || name.includes("\0") || !name.isWellFormed()) {
    throw refusedSql("a name", name);
  }
  return escapeIdentifier(name) as Sql;
}
