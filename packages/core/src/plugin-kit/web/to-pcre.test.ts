import { expect, test } from "vitest";
import { toPcre } from "./to-pcre.ts";
import type { UrlMatcher } from "./url-matcher.ts";

const numbers = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `number.${index}`);

test("many alternatives are spread over as many expressions as keep each within the limit", () => {
  const matcher = { any: numbers(500).map((name) => ({ exact: `/a.long.path/${name}` })) };
  const expressions = toPcre(matcher, 1500);
  expect(expressions.length).toBeGreaterThan(5);
  expect(expressions.every((one) => Buffer.byteLength(one) < 2000)).toBe(true);
  expect(expressions.join("").match(/number/g)).toHaveLength(500);
  expect(toPcre(matcher)).toHaveLength(1);
});

test("segments and ends stay within the limit too, each kind of them judged as one", () => {
  const kinds: readonly ((name: string) => UrlMatcher)[] = [(segment) => ({ segment }), (suffix) => ({ suffix })];
  for (const kind of kinds) {
    const expressions = toPcre({ any: numbers(200).map(kind) }, 1500);
    expect(expressions.every((one) => Buffer.byteLength(one) < 2000)).toBe(true);
    expect(expressions.join("").match(/number/g)).toHaveLength(200);
    expect(toPcre({ any: numbers(20).map(kind) }, 1)).toHaveLength(1);
  }
});

test("a long alternative stands alone and a repeated one once; what is asked besides stands in each expression", () => {
  const some = { any: ["/a", "/bb", "/bb", "/c"].map((prefix) => ({ prefix })) };
  expect(toPcre(some, 2)).toEqual(["(?s)^(?:/a)", "(?s)^(?:/bb)", "(?s)^(?:/c)"]);
  expect(toPcre({ all: [{ not: { exact: "/x" } }, some] }, 5)).toEqual([
    "(?s)^(?!/x\\z)(?:/a|/bb)",
    "(?s)^(?!/x\\z)(?:/c)",
  ]);
});

test("every URL is one short expression, and no URL is none", () => {
  expect(toPcre({ all: [] })).toEqual(["^"]);
  expect(toPcre({ any: [] })).toEqual([]);
});

test("what is not valid Unicode is refused", () => {
  expect(() => toPcre({ exact: "/\ud800" })).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }));
});
