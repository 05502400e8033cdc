import { oneLine, quoteRefused } from "@hostwright/core/plugin";

const CONFIGURATION = "nginx's configuration";
/** nginx reads a token through a buffer of 4096 bytes and refuses what does not fit. */
const TOKEN_BYTES = 4000;

/** Any text as one double-quoted token. Variables stay alive: for regular expressions and texts of our own. */
export function quoteToken(value: string): string {
  const token = `"${oneLine(value, CONFIGURATION).replace(/[\\"]/g, "\\$&")}"`;
  if (Buffer.byteLength(token) <= TOKEN_BYTES) return token;
  throw quoteRefused(value, CONFIGURATION, `it is longer than ${TOKEN_BYTES} bytes`);
}

/** A literal value, followed by the variable if one is named. nginx has no escape for `$`: such values are refused. */
export function quoteLiteral(value: string, variable = ""): string {
  if (value.includes("$")) throw quoteRefused(value, CONFIGURATION, "it holds $, which begins a variable");
  return quoteToken(value + variable);
}
