import { oneLine, quoteRefused } from "@hostwright/core/plugin";

const CONFIGURATION = "Apache's configuration";

/** One double-quoted argument of our own making: patterns, flags, paths that were checked. */
export function quoteArgument(value: string): string {
  return `"${oneLine(value, CONFIGURATION).replaceAll('"', '\\"')}"`;
}

/** Where a redirect leads: mod_rewrite has variables in `$` and `%`, and takes a sign behind a backslash as it is. */
export function quoteTarget(to: string): string {
  if (/[\\$"\s]/.test(to)) throw quoteRefused(to, CONFIGURATION, "it is not a percent-encoded URL");
  return to.replaceAll("%", "\\%");
}

/** A header's value: Apache has formats in `%`, and variables of its own in `$`, which have no escape. */
export function quoteHeader(value: string): string {
  if (/[\\$]/.test(value)) throw quoteRefused(value, CONFIGURATION, "it holds $ or a backslash");
  if (/^expr=/i.test(value)) throw quoteRefused(value, CONFIGURATION, "Apache would take it for an expression");
  return quoteArgument(value.replaceAll("%", "%%"));
}
