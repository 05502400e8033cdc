import { HostwrightError } from "@hostwright/core";

function refuse(value: string, why: string): HostwrightError {
  const shown = JSON.stringify(value.slice(0, 80));
  return new HostwrightError("HW_QUOTE_REFUSED", `${shown} cannot stand in Apache's configuration: ${why}.`);
}

/** One double-quoted argument of our own making: patterns, flags, paths that were checked. */
export function quoteArgument(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(value)) throw refuse(value, "it holds a control character");
  return `"${value.replaceAll('"', '\\"')}"`;
}

/** A path of letters that mean nothing to Apache: it has variables in `$`, `%` and `{}`, and no escape for all of them. */
export function plainPath(path: string): string {
  if (!/^(\/[\w.@+-]+)*\/?$/.test(path)) throw refuse(path, "it is not a plain path");
  return path;
}

/** A path of a URL, where it stands as text and not as a pattern. */
export function plainUrl(path: string): string {
  if (!/^\/[\w./@+~=,;-]*$/.test(path)) throw refuse(path, "it is not a plain URL");
  return path;
}

/** A literal inside a regular expression, every sign but letters and digits as its bytes: none of them means anything. */
export function regexLiteral(value: string): string {
  if (!value.isWellFormed()) throw refuse(value, "it is not valid Unicode");
  return [...Buffer.from(value)]
    .map((byte) => {
      const sign = String.fromCharCode(byte);
      return /[A-Za-z0-9/_-]/.test(sign) ? sign : `\\x${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}

/** A host name or `*.` wildcard; Apache would take other wildcards too. */
export function serverName(name: string): string {
  if (!/^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(name)) throw refuse(name, "it is not a host name");
  return name;
}
