import type { PathPattern } from "../../model/path-pattern.ts";
import { validUnicode } from "./plain.ts";

/**
 * One question about a path. Letters are told apart by case, except by `looksLike: "php"`.
 * - a `PathPattern`: `exact`, `prefix`, `suffix` or `segment`
 * - `script`: this path (`/index.php`), or one that continues it behind a slash (`/index.php/node/1`)
 * - `scriptSuffix`: as `suffix`; the whole path names a script
 * - `looksLike: "hidden"`: some segment begins with a dot and is not `.well-known`
 * - `looksLike: "php"`: some segment ends in `.php`, `.php` and a digit, `.phtml` or `.phar`, in upper or lower case
 */
export type UrlLeaf =
  | PathPattern
  | { readonly script: string }
  | { readonly scriptSuffix: string }
  | { readonly looksLike: "hidden" | "php" };

/**
 * Which URLs are meant: a tree of plain data. It is asked of the decoded, normalised path, which begins with a slash and
 * may hold any character, line breaks too.
 * - `any`: at least one of these matches. An empty list matches no URL.
 * - `all`: each of these matches. An empty list matches every URL.
 * - `not`: this one does not match.
 *
 * Web servers with PCRE take it from `toPcre()`, those with RE2 from `toRe2()`.
 */
export type UrlMatcher =
  | UrlLeaf
  | { readonly any: readonly UrlMatcher[] }
  | { readonly all: readonly UrlMatcher[] }
  | { readonly not: UrlMatcher };

/** What an `any` says, without the ones inside of it; anything else says itself. */
export function choicesOf(matcher: UrlMatcher): readonly Exclude<UrlMatcher, { any: unknown }>[] {
  return "any" in matcher ? matcher.any.flatMap(choicesOf) : [matcher];
}

/** The scripts, if the matcher names scripts and nothing else. */
export function scriptsOf(matcher: UrlMatcher): readonly string[] | null {
  const choices = choicesOf(matcher);
  const scripts = choices.flatMap((choice) => ("script" in choice ? [choice.script] : []));
  return scripts.length > 0 && scripts.length === choices.length ? scripts : null;
}

/**
 * The matcher, if all of its text is valid Unicode. Other text is refused for every web server, also of a site that is closed.
 * @throws HW_QUOTE_REFUSED
 */
export function validMatcher(matcher: UrlMatcher): UrlMatcher {
  for (const text of textsOf(matcher)) validUnicode(text, "a URL");
  return matcher;
}

function textsOf(matcher: UrlMatcher): readonly string[] {
  if ("any" in matcher) return matcher.any.flatMap(textsOf);
  if ("all" in matcher) return matcher.all.flatMap(textsOf);
  if ("not" in matcher) return textsOf(matcher.not);
  return Object.values(matcher).filter((text) => text !== undefined);
}
