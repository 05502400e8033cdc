import { HostwrightError } from "@hostwright/core";

/** nginx reads a token through a buffer of 4096 bytes and refuses what does not fit. */
const TOKEN_BYTES = 4000;

function refuse(value: string, why: string): HostwrightError {
  return new HostwrightError(
    "HW_QUOTE_REFUSED",
    `${JSON.stringify(value.slice(0, 80))} cannot stand in nginx's configuration: ${why}.`,
  );
}

/** Any text as one double-quoted token. Variables stay alive: for regular expressions and texts of our own. */
export function quoteToken(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(value)) throw refuse(value, "it holds a control character");
  if (!value.isWellFormed()) throw refuse(value, "it is not valid Unicode");
  const token = `"${value.replace(/[\\"]/g, "\\$&")}"`;
  if (Buffer.byteLength(token) > TOKEN_BYTES) throw refuse(value, `it is longer than ${TOKEN_BYTES} bytes`);
  return token;
}

/** A literal value, followed by the variable if one is named. nginx has no escape for `$`: such values are refused. */
export function quoteLiteral(value: string, variable = ""): string {
  if (value.includes("$")) throw refuse(value, "nginx would read $ as a variable");
  return quoteToken(value + variable);
}

/** A literal inside a regular expression. Classes instead of backslashes keep the written file readable. */
export function regexLiteral(value: string): string {
  return value.replace(/[.*+?(){}|$]|([[\]\\^])/g, (sign, bare) => (bare === undefined ? `[${sign}]` : `\\${sign}`));
}

/** A host name or `*.` wildcard; anything else could be a regular expression or a catch-all to nginx. */
export function serverName(name: string): string {
  if (!/^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(name)) throw refuse(name, "it is not a host name");
  return name;
}

/** A unix socket for `fastcgi_pass`, in which `:` would begin a URI. */
export function unixSocket(path: string): string {
  if (!/^\/[\w./@-]+$/.test(path)) throw refuse(path, "it is not a plain path of a socket");
  return quoteLiteral(`unix:${path}`);
}
