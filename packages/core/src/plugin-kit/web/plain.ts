import { HostwrightError } from "../../errors/hostwright-error.ts";

/** The error of a value that has no safe form: `where` is the syntax (`nginx's configuration`), `why` begins with "it". */
export function quoteRefused(value: string, where: string, why: string): HostwrightError {
  const shown = JSON.stringify(value.slice(0, 80));
  return new HostwrightError("HW_QUOTE_REFUSED", `${shown} cannot stand in ${where}: ${why}.`);
}

/**
 * The value if it is valid Unicode. `where` names the syntax it is to stand in.
 * @throws HW_QUOTE_REFUSED
 */
export function validUnicode(value: string, where: string): string {
  if (!value.isWellFormed()) throw quoteRefused(value, where, "it is not valid Unicode");
  return value;
}

/**
 * The value if it is one line of valid Unicode without control characters. `where` names the syntax it is to stand in.
 * @throws HW_QUOTE_REFUSED
 */
export function oneLine(value: string, where: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(value)) throw quoteRefused(value, where, "it holds a control character");
  return validUnicode(value, where);
}

const CONFIGURATION = "a web server's configuration";

const taking =
  (form: RegExp, what: string) =>
  (value: string): string => {
    if (form.test(value)) return value;
    throw quoteRefused(value, CONFIGURATION, `it is not ${what}`);
  };

/** Letters, digits, `_` and `-`. */
export const plainId: (id: string) => string = taking(/^[\w-]+$/, "the id of a site");

/** A host name or `*.` wildcard; anything else could be a regular expression or a catch-all to a web server. */
export const hostName: (name: string) => string = taking(/^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, "a host name");

/** The name of a file; no dot begins it. */
export const plainName: (name: string) => string = taking(/^[\w@+-][\w.@+-]*$/, "a plain name of a file");

/** A path, on disk or in a URL, of signs that mean nothing to any web server: some have no escape for all of the others. */
export const plainPath: (path: string) => string = taking(/^(\/[\w.@+-]+)*\/?$/, "a plain path");
