import { regexLiteral } from "./regex-literal.ts";
import { choicesOf, scriptsOf, type UrlLeaf, type UrlMatcher } from "./url-matcher.ts";

/** A URL matches the term if each expression of `every` matches it and none of `none` does. An empty list asks nothing. */
export interface Re2Term {
  readonly every: readonly string[];
  readonly none: readonly string[];
}

/**
 * The matcher for web servers whose regular expressions have no look-around and no possessive quantifiers (RE2: Envoy,
 * Caddy, Go). RE2 cannot negate or intersect expressions, so that is left to the server: a URL matches if it matches one of
 * the terms. No URL is no term; every URL is a term with two empty lists.
 *
 * Each expression is for the whole path, from `^` to `\z`, so that it means the same where a part of the path is searched
 * for. The path must be valid UTF-8: refuse any other. Where an expression of `every` names scripts (`script`, or `any` of
 * these; `scriptSuffix`), it has the groups `hw_script` and `hw_info` of `toPcre()`. Groups are written `(?<name>...)`, which
 * RE2 takes since 2023 and Go since 1.22.
 *
 * Whatever `webSite()` gives is at most one term. In general the terms of the members of an `any` add up and those of an
 * `all` multiply, the other way round below `not`. Leaves beside each other in an `any` are one expression of one term.
 * @throws HW_QUOTE_REFUSED for text that is not valid Unicode
 */
export function toRe2(matcher: UrlMatcher): readonly Re2Term[] {
  return termsOf(matcher).map(({ every, none }) => ({ every: every.map(groupedOf), none: none.map(regexOf) }));
}

/** Lists of leaves: a list matches if one of them does. */
interface Term {
  readonly every: readonly (readonly UrlLeaf[])[];
  readonly none: readonly (readonly UrlLeaf[])[];
}

/** The matcher in disjunctive form: one of the terms. */
function termsOf(matcher: UrlMatcher): readonly Term[] {
  if ("all" in matcher) return eachOf(matcher.all.map(termsOf));
  if ("not" in matcher) return termsOfNot(matcher.not);
  const { leaves, others } = sorted(matcher);
  return [...(leaves.length === 0 ? [] : [{ every: [leaves], none: [] }]), ...others.flatMap(termsOf)];
}

function termsOfNot(matcher: UrlMatcher): readonly Term[] {
  if ("all" in matcher) return matcher.all.flatMap(termsOfNot);
  if ("not" in matcher) return termsOf(matcher.not);
  const { leaves, others } = sorted(matcher);
  return eachOf([[{ every: [], none: leaves.length === 0 ? [] : [leaves] }], ...others.map(termsOfNot)]);
}

/** One term of each list, in every combination. */
function eachOf(lists: readonly (readonly Term[])[]): readonly Term[] {
  return lists.reduce<readonly Term[]>(
    (terms, list) =>
      terms.flatMap((a) => list.map((b) => ({ every: [...a.every, ...b.every], none: [...a.none, ...b.none] }))),
    [{ every: [], none: [] }],
  );
}

function sorted(matcher: UrlMatcher): { readonly leaves: readonly UrlLeaf[]; readonly others: readonly UrlMatcher[] } {
  const [leaves, others]: [UrlLeaf[], UrlMatcher[]] = [[], []];
  for (const choice of choicesOf(matcher))
    if ("all" in choice || "not" in choice) others.push(choice);
    else leaves.push(choice);
  return { leaves, others };
}

function groupedOf(leaves: readonly UrlLeaf[]): string {
  const scripts = scriptsOf({ any: leaves });
  if (scripts !== null) return `(?s)^(?<hw_script>${scripts.map(regexLiteral).join("|")})(?<hw_info>/.*)?\\z`;
  const [leaf, ...more] = leaves;
  if (leaf === undefined || more.length > 0 || !("scriptSuffix" in leaf)) return regexOf(leaves);
  return `(?s)^(?<hw_script>.*${regexLiteral(leaf.scriptSuffix)})(?<hw_info>)\\z`;
}

function regexOf(leaves: readonly UrlLeaf[]): string {
  return `(?s)^(?:${[...new Set(leaves.map(wholeOf))].join("|")})\\z`;
}

const EXEMPT = "well-known";
/** What may stand behind the dot of a hidden segment: it leaves the exempt name at one of its signs, or goes on behind it. */
const HIDDEN = [
  ...Array.from(EXEMPT, (sign, index) => `${EXEMPT.slice(0, index)}(?:[^${sign}].*)?`),
  `${EXEMPT}[^/].*`,
].join("|");

/** The whole path. */
function wholeOf(leaf: UrlLeaf): string {
  if ("exact" in leaf) return regexLiteral(leaf.exact);
  if ("prefix" in leaf) return `${regexLiteral(leaf.prefix)}.*`;
  if ("segment" in leaf) return `.*/${regexLiteral(leaf.segment)}(?:/.*)?`;
  if ("suffix" in leaf) return `${regexLiteral(leaf.under ?? "")}.*${regexLiteral(leaf.suffix)}`;
  if ("script" in leaf) return `${regexLiteral(leaf.script)}(?:/.*)?`;
  if ("scriptSuffix" in leaf) return `.*${regexLiteral(leaf.scriptSuffix)}`;
  return leaf.looksLike === "hidden" ? `.*/[.](?:${HIDDEN})` : "(?i:.*[.](?:php[0-9]?|phtml|phar)(?:/.*)?)";
}
