import type { CacheRule, PathPattern, WebRules } from "@hostwright/core";
import { regexLiteral } from "./quote.ts";

/** The pattern as a regular expression from the start of the path. `\z`, not `$`: a path may end in a line break. */
export function patternRegex(pattern: PathPattern): string {
  if ("exact" in pattern) return `${regexLiteral(pattern.exact)}\\z`;
  if ("prefix" in pattern) return regexLiteral(pattern.prefix);
  if ("segment" in pattern) return `.*/${regexLiteral(pattern.segment)}(?:/|\\z)`;
  return `${regexLiteral(pattern.under ?? "")}.*${regexLiteral(pattern.suffix)}\\z`;
}

/** A regular expression that matches any of the alternatives; null where there are none. */
export function anyOf(alternatives: readonly string[], before = "(?:", after = ")"): string | null {
  if (alternatives.length === 0) return null;
  return `(?s)^${before}${[...new Set(alternatives)].join("|")}${after}`;
}

/** Patterns as a regular expression; with `only`, those URLs alone that also begin with one of these prefixes. */
export function matching(patterns: readonly PathPattern[], only: readonly string[] = []): string | null {
  const lookahead = only.length === 0 ? "" : `(?=${only.map(regexLiteral).join("|")})`;
  return anyOf(patterns.map(patternRegex), `${lookahead}(?:`);
}

/** Hidden files and folders, but for /.well-known/. */
export const HIDDEN = ".*/[.](?!well-known(?:/|\\z))";

/** Every URL that looks like a script, also with a path behind it: `/uploads/a.jpg/x.php`, `/uploads/x.php/a.jpg`. */
export const ANY_PHP = "(?si)^.*[.](?:php[0-9]?|phtml|phar)(?:/|\\z)";

function mayBeBelow(pattern: PathPattern, prefix: string): boolean {
  const start = "prefix" in pattern ? pattern.prefix : "suffix" in pattern ? (pattern.under ?? "") : "";
  return start.startsWith(prefix) || prefix.startsWith(start);
}

/**
 * Executable scripts in the site's own folder or in the release: the first group is the script, the second the path behind
 * it. Only one that is named exactly takes such a path (`/index.php/node/1`): behind a pattern, `/internal.php/ajax.php`
 * would run what the pattern does not name.
 */
export function scripts(rules: WebRules, where: "own" | "release"): readonly string[] {
  const own = rules.ownPaths.map(({ prefix }) => prefix);
  const entries: readonly PathPattern[] = [{ exact: rules.frontController }, ...rules.phpEntryPoints];
  const exact = entries.flatMap((entry) => ("exact" in entry ? [entry.exact] : []));
  const here = exact.filter((path) => own.some((prefix) => path.startsWith(prefix)) === (where === "own"));
  const patterns = entries.filter(
    (entry) => !("exact" in entry) && (where === "release" || own.some((prefix) => mayBeBelow(entry, prefix))),
  );
  const below = where === "own" && own.length > 0 ? `(?=${own.map(regexLiteral).join("|")})` : "";
  return [
    anyOf(here.map(regexLiteral), "(", ")(/.*)?\\z"),
    anyOf(patterns.map(patternRegex), `${below}(?=`, ")(.*[.]php)()\\z"),
  ].filter((regex) => regex !== null);
}

/** Neighbours of one age together, in their order: the first that matches decides. */
export function cacheGroups(
  cache: readonly CacheRule[],
): readonly { readonly seconds: number; readonly regex: string }[] {
  const groups: { seconds: number; matches: PathPattern[] }[] = [];
  for (const { match, maxAgeSeconds } of cache) {
    const seconds = Math.max(0, Math.trunc(maxAgeSeconds)) || 0;
    if (groups.at(-1)?.seconds !== seconds) groups.push({ seconds, matches: [] });
    groups.at(-1)?.matches.push(match);
  }
  return groups.map(({ seconds, matches }) => ({ seconds, regex: matching(matches) ?? "" }));
}
