import type { CacheRule, PathPattern, WebRules } from "@hostwright/core";
import { quoteToken, regexLiteral } from "./quote.ts";

/** Bytes of alternatives in one location: nginx limits the length of a token, and quoting may double them. */
const CHUNK_BYTES = 1500;

/** The pattern as a regular expression from the start of the path. `\z`, not `$`: a path may end in a line break. */
export function patternRegex(pattern: PathPattern): string {
  if ("exact" in pattern) return `${regexLiteral(pattern.exact)}\\z`;
  if ("prefix" in pattern) return regexLiteral(pattern.prefix);
  if ("segment" in pattern) return `.*/${regexLiteral(pattern.segment)}(?:/|\\z)`;
  return `${regexLiteral(pattern.under ?? "")}.*${regexLiteral(pattern.suffix)}\\z`;
}

/** Quoted regular expressions that together match any of the alternatives, each within nginx's limits. */
export function anyOf(alternatives: readonly string[], before = "(?:", after = ")"): readonly string[] {
  const chunks: string[][] = [];
  let size = 0;
  for (const alternative of new Set(alternatives)) {
    size += Buffer.byteLength(alternative);
    if (chunks.length === 0 || size > CHUNK_BYTES) {
      chunks.push([]);
      size = Buffer.byteLength(alternative);
    }
    chunks.at(-1)?.push(alternative);
  }
  return chunks.map((chunk) => quoteToken(`(?s)^${before}${chunk.join("|")}${after}`));
}

/** Patterns, as quoted regular expressions; with `only`, those URLs alone that also begin with one of these prefixes. */
export function matching(patterns: readonly PathPattern[], only: readonly string[] = []): readonly string[] {
  const lookahead = only.length === 0 ? "" : `(?=${only.map(regexLiteral).join("|")})`;
  return anyOf(patterns.map(patternRegex), `${lookahead}(?:`);
}

/** Begins a list of alternatives that match none of these. */
export function except(patterns: readonly PathPattern[]): string {
  return patterns.length === 0 ? "(?:" : `(?!${patterns.map(patternRegex).join("|")})(?:`;
}

/** Hidden files and folders, but for /.well-known/. */
export const HIDDEN = ".*/[.](?!well-known(?:/|\\z))";

/** Every URL that looks like a script, also with a path behind it: `/uploads/a.jpg/x.php`, `/uploads/x.php/a.jpg`. */
export const ANY_PHP: string = quoteToken("(?s)^.*[.](?:php[0-9]?|phtml|phar)(?:/|\\z)");

function mayBeBelow(pattern: PathPattern, prefix: string): boolean {
  const start = "prefix" in pattern ? pattern.prefix : "suffix" in pattern ? (pattern.under ?? "") : "";
  return start.startsWith(prefix) || prefix.startsWith(start);
}

/**
 * Executable scripts in the site's own folder or in the release. Only one that is named exactly takes a path behind it
 * (`/index.php/node/1`): behind a pattern, `/internal.php/ajax.php` would run what the pattern does not name.
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
    ...anyOf(here.map(regexLiteral), "(?<hw_script>", ")(?<hw_info>/.*)?\\z"),
    ...anyOf(patterns.map(patternRegex), `${below}(?=`, ")(?<hw_script>.*[.]php)(?<hw_info>)\\z"),
  ];
}

/** Neighbours of one age together, in their order: the first that matches decides. */
export function cacheGroups(
  cache: readonly CacheRule[],
): readonly { readonly seconds: number; readonly regexes: readonly string[] }[] {
  const groups: { seconds: number; matches: PathPattern[] }[] = [];
  for (const { match, maxAgeSeconds } of cache) {
    const seconds = Math.max(0, Math.trunc(maxAgeSeconds)) || 0;
    if (groups.at(-1)?.seconds !== seconds) groups.push({ seconds, matches: [] });
    groups.at(-1)?.matches.push(match);
  }
  return groups.map(({ seconds, matches }) => ({ seconds, regexes: matching(matches) }));
}
