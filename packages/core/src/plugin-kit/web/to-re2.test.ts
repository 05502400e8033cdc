import { expect, test } from "vitest";
import { drupalRules, ownRules, siteView, wordpressRules } from "../../../../../test/support/http-samples.ts";
import { toRe2 } from "./to-re2.ts";
import type { UrlMatcher } from "./url-matcher.ts";
import { webSite } from "./web-site.ts";

const [a, b, c, d] = [{ exact: "/a" }, { exact: "/b" }, { exact: "/c" }, { exact: "/d" }];
const EVERY_URL = { every: [], none: [] };

test("whatever a site says is one term, without look-around and possessive quantifiers", () => {
  for (const rules of [drupalRules, wordpressRules]) {
    const site = webSite(
      siteView("s", rules, { ownRules: { ...ownRules, basicAuth: { realm: "x", users: ["anna"] } } }),
    );
    const all = [...site.steps, ...site.ages, ...(site.basicAuth === null ? [] : [site.basicAuth])];
    const terms = all.map(({ urls }) => toRe2(urls));
    expect(terms.map((some) => some.length)).toEqual(all.map(() => 1));
    const text = JSON.stringify(terms);
    expect(text).toContain("well-known");
    expect(text).not.toMatch(/\(\?<?[=!]|[*+?]\+|[^\\]\\\\[^xz]/);
  }
});

const trees: readonly (readonly [what: string, matcher: UrlMatcher, terms: number])[] = [
  ["leaves beside each other", { any: [a, { any: [b, c] }, d] }, 1],
  ["lists of leaves that all match, or do not", { all: [{ any: [a, b] }, { not: { any: [c, d] } }] }, 1],
  ["one of two that are no leaves, and of leaves", { any: [{ all: [a, b] }, { not: c }, a, d] }, 3],
  ["each of two that are one of two", { all: [{ any: [a, { not: b }] }, { any: [c, { not: d }] }] }, 4],
  ["not each of two", { not: { all: [a, b] } }, 2],
  ["none of some", { not: { any: [a, { not: b }, { not: { all: [c, d] } }] } }, 1],
];

test.each(trees)("%s: %j", (_, matcher, terms) => {
  expect(toRe2(matcher)).toHaveLength(terms);
});

test("every URL is a term that asks nothing, and no URL is no term", () => {
  expect([toRe2({ all: [] }), toRe2({ not: { any: [] } })]).toEqual([[EVERY_URL], [EVERY_URL]]);
  expect([toRe2({ any: [] }), toRe2({ not: { all: [] } }), toRe2({ all: [a, { any: [] }] })]).toEqual([[], [], []]);
});

test("what is not valid Unicode is refused", () => {
  expect(() => toRe2({ exact: "/\ud800" })).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }));
});
