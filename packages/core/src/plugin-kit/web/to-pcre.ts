import { regexLiteral } from "./regex-literal.ts";
import { choicesOf, scriptsOf, type UrlMatcher } from "./url-matcher.ts";

/** Goes from one slash of the path to the next, and never back over what is between them. */
const AT_ANY_SLASH = "(?:/[^/]*+)*?/";
const HIDDEN = `${AT_ANY_SLASH}[.](?!well-known(?:/|\\z))`;
const PHP = "(?:[^.]*+[.])+?(?:php[0-9]?|phtml|phar)(?:/|\\z)";
const NOT = "(?!";
const NEVER = `${NOT})`;

/**
 * Whole regular expressions (PCRE) that together match the matcher's URLs: a URL matches if one of them does. No URL is no
 * expression. Signs that end or begin something in a configuration (quotes, `#`, line breaks, `${`) are not in them; a
 * backslash is.
 *
 * Where the matcher, or the last of its `all`, names scripts (`script`, or `any` of these; `scriptSuffix`), the expressions
 * have two groups: `hw_script`, the script, and `hw_info`, the path behind it, which may be empty or missing. There are no
 * other groups.
 * @param maxBytes of UTF-8, of the alternatives in one expression. Default: no limit, one expression. Of a matcher that is
 * an `all`, the alternatives of its last `any` are spread, and the rest stands in each expression. A single longer
 * alternative stands alone.
 * @throws HW_QUOTE_REFUSED for text that is not valid Unicode
 */
export function toPcre(matcher: UrlMatcher, maxBytes: number = Infinity): readonly string[] {
  const parts = "all" in matcher ? matcher.all : [matcher];
  if (parts.length === 0) return ["^"];
  // Every request is asked this, so it stands without another group around it.
  if ("looksLike" in matcher && matcher.looksLike === "php") return [`(?si)^${PHP}`];
  // The last part may take of the path what it names; those before it only look ahead.
  const pieces = parts.map((part, index) => (index === parts.length - 1 ? consuming(part) : ahead(part)));
  const spread = parts.findLastIndex((part) => "any" in part);
  const before = pieces.slice(0, Math.max(0, spread)).map(textOf).join("");
  const after = pieces
    .slice(spread + 1)
    .map(textOf)
    .join("");
  const piece = pieces[spread];
  if (piece === undefined) return [`(?s)^${before}${after}`];
  return joined(piece.alternatives, maxBytes).map((some) => `(?s)^${before}${piece.open}${some}${piece.close}${after}`);
}

/** A group of a regular expression. */
interface Piece {
  readonly open: string;
  readonly alternatives: readonly string[];
  readonly close: string;
}

function textOf({ open, alternatives, close }: Piece): string {
  if (alternatives.length === 0) return open === NOT ? "" : NEVER;
  return `${open}${alternatives.join("|")}${close}`;
}

/** Looks ahead, and takes nothing of the path. */
function ahead(matcher: UrlMatcher): Piece {
  const [open, asked] = "not" in matcher ? [NOT, matcher.not] : ["(?=", matcher];
  return { open, alternatives: alternativesOf(asked), close: ")" };
}

/** The last part of an expression. */
function consuming(matcher: UrlMatcher): Piece {
  if ("not" in matcher) return ahead(matcher);
  const scripts = scriptsOf(matcher);
  if (scripts !== null)
    return { open: "(?<hw_script>", alternatives: scripts.map(regexLiteral), close: ")(?<hw_info>/.*)?\\z" };
  if ("scriptSuffix" in matcher)
    return {
      open: "(?<hw_script>",
      alternatives: [`.*${regexLiteral(matcher.scriptSuffix)}`],
      close: ")(?<hw_info>)\\z",
    };
  return { open: "(?:", alternatives: alternativesOf(matcher), close: ")" };
}

/** Of the patterns that are judged as one, so that one alternative can still be spread over a configuration's limits. */
const GROUP_BYTES = 500;

/**
 * Alternatives from the start of the path, without groups, that together match what the matcher does. `\z`, not `$`: a path
 * may end in a line break. Every request is held against all of them, by web servers that do not compile them: segments
 * are looked for together at each slash, ends together at the end, and not each one from every sign of the path.
 */
function alternativesOf(matcher: UrlMatcher): readonly string[] {
  const [looks, segments, ends, others]: [string[], string[], string[], string[]] = [[], [], [], []];
  for (const choice of choicesOf(matcher)) {
    if ("exact" in choice) others.push(`${regexLiteral(choice.exact)}\\z`);
    else if ("prefix" in choice) others.push(regexLiteral(choice.prefix));
    else if ("segment" in choice) segments.push(regexLiteral(choice.segment));
    else if ("scriptSuffix" in choice) ends.push(regexLiteral(choice.scriptSuffix));
    else if ("script" in choice) others.push(`${regexLiteral(choice.script)}(?:/|\\z)`);
    else if ("looksLike" in choice) looks.push(choice.looksLike === "hidden" ? HIDDEN : `(?i:${PHP})`);
    else if ("all" in choice) others.push(choice.all.map((part) => textOf(ahead(part))).join(""));
    else if ("not" in choice) others.push(textOf(ahead(choice)));
    else if (choice.under === undefined) ends.push(regexLiteral(choice.suffix));
    else others.push(`${regexLiteral(choice.under)}.*${regexLiteral(choice.suffix)}\\z`);
  }
  return [
    ...looks,
    ...joined(segments, GROUP_BYTES).map((some) => `${AT_ANY_SLASH}(?:${some})(?:/|\\z)`),
    ...joined(ends, GROUP_BYTES).map((some) => `.*+(?<=${some})\\z`),
    ...others,
  ];
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
