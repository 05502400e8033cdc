import type { PathPattern } from "../../model/path-pattern.ts";
import { quoteRefused } from "./plain.ts";

/**
 * URLs, as a regular expression (PCRE) on the decoded, normalised path, in parts: `before`, the alternatives with `|`
 * between them, `after`. Signs that end or begin something in a configuration (quotes, `#`, line breaks, `${`) are not in
 * it; a backslash is.
 */
export interface UrlMatch {
  /** `(?s)^(?:`; also what must or must not follow in any alternative. */
  readonly before: string;
  /** At least one. */
  readonly alternatives: readonly string[];
  readonly after: string;
}

/**
 * Whole regular expressions that together match the same URLs: one, or as many as keep the alternatives of each within
 * `maxBytes` of UTF-8 (default: no limit; a single longer alternative stands alone). Null is every URL.
 */
export function regexesOf(match: UrlMatch | null, maxBytes: number = Infinity): readonly string[] {
  if (match === null) return ["^"];
  return joined(match.alternatives, maxBytes).map((some) => `${match.before}${some}${match.after}`);
}

/** With `|` between them, each once, in as many texts as keep what is joined in each within the limit. */
function joined(alternatives: readonly string[], maxBytes: number): readonly string[] {
  const chunks: string[][] = [];
  let size = Infinity;
  for (const alternative of new Set(alternatives)) {
    const bytes = Buffer.byteLength(alternative);
    size += bytes;
    if (chunks.length === 0 || size > maxBytes) {
      chunks.push([]);
      size = bytes;
    }
    chunks.at(-1)?.push(alternative);
  }
  return chunks.map((chunk) => chunk.join("|"));
}

const CLASSES = ".*+?(){}|$";

/**
 * The value as a regular expression that matches it alone: each sign as itself, as a class (`[.]`) or as its number.
 * @throws HW_QUOTE_REFUSED when it is not valid Unicode
 */
export function regexLiteral(value: string): string {
  if (!value.isWellFormed()) throw quoteRefused(value, "a URL", "it is not valid Unicode");
  // oxlint-disable-next-line no-control-regex -- control characters are what is written otherwise
  return value.replace(/[.*+?(){}|$"#[\]\\^\u0000-\u001f\u007f]/g, (sign) =>
    CLASSES.includes(sign) ? `[${sign}]` : `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** Of the patterns that are judged as one, so that one alternative can still be spread over a configuration's limits. */
const GROUP_BYTES = 500;

/** Goes from one slash of the path to the next, and never back over what is between them. */
export const AT_ANY_SLASH = "(?:/[^/]*+)*?/";

/**
 * Alternatives from the start of the path that together match any of the patterns. `\z`, not `$`: a path may end in a line
 * break. Every request is held against all of them, by web servers that do not compile them: segments are looked for
 * together at each slash, ends together at the end, and not each one from every sign of the path.
 */
export function alternativesOf(patterns: readonly PathPattern[]): readonly string[] {
  const segments: string[] = [];
  const ends: string[] = [];
  const others: string[] = [];
  for (const pattern of patterns) {
    if ("exact" in pattern) others.push(`${regexLiteral(pattern.exact)}\\z`);
    else if ("prefix" in pattern) others.push(regexLiteral(pattern.prefix));
    else if ("segment" in pattern) segments.push(regexLiteral(pattern.segment));
    else if (pattern.under === undefined) ends.push(regexLiteral(pattern.suffix));
    else others.push(`${regexLiteral(pattern.under)}.*${regexLiteral(pattern.suffix)}\\z`);
  }
  return [
    ...joined(segments, GROUP_BYTES).map((some) => `${AT_ANY_SLASH}(?:${some})(?:/|\\z)`),
    ...joined(ends, GROUP_BYTES).map((some) => `.*+(?<=${some})\\z`),
    ...others,
  ];
}

/** Any of the alternatives; null where there are none. */
export function anyOf(alternatives: readonly string[], before: string = "(?:", after: string = ")"): UrlMatch | null {
  return alternatives.length === 0 ? null : { before: `(?s)^${before}`, alternatives, after };
}

/** Any of the patterns; with `only`, those URLs alone that also begin with one of these prefixes. */
export function matching(patterns: readonly PathPattern[], only: readonly string[] = []): UrlMatch | null {
  return anyOf(alternativesOf(patterns), `${beginningWith(only)}(?:`);
}

/** What follows begins with one of these prefixes; of none, with anything. */
export function beginningWith(prefixes: readonly string[]): string {
  return prefixes.length === 0 ? "" : `(?=${prefixes.map(regexLiteral).join("|")})`;
}

/** What follows is none of these. */
export function noneOf(patterns: readonly PathPattern[]): string {
  return patterns.length === 0 ? "" : `(?!${alternativesOf(patterns).join("|")})`;
}
