import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { PathPattern } from "../../model/path-pattern.ts";
import { matchesPath } from "../../model/own-rules.ts";
import { alternativesOf, anyOf, matching, regexesOf, regexLiteral } from "./url-match.ts";

const piece = fc.string({
  unit: fc.constantFrom(
    "a",
    "b",
    ".",
    "php",
    "[",
    "]",
    "^",
    "\\",
    "*",
    "+",
    "(",
    ")",
    "|",
    "?",
    "{2}",
    "-",
    "é",
    "\n",
    '"',
  ),
  maxLength: 4,
});
const path = fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
const pattern: fc.Arbitrary<PathPattern> = fc.oneof(
  path.map((exact) => ({ exact })),
  path.map((prefix) => ({ prefix: `${prefix}/` })),
  piece.map((segment) => ({ segment: `s${segment}` })),
  fc.tuple(piece, path).map(([suffix, under]) => ({ suffix, under: `${under}/` })),
  piece.map((suffix) => ({ suffix: `.${suffix}` })),
);

/** JavaScript's closest to what web servers do: PCRE with `(?s)`, `\z`, and `*+`, which only is faster than `*`. */
const compiled = (regex: string): RegExp =>
  new RegExp(`^(?:${regex.replaceAll("\\z", "$").replaceAll("*+", "*")})`, "s");

const literalOf = (one: PathPattern): string => {
  if ("exact" in one) return one.exact;
  if ("prefix" in one) return one.prefix;
  return "segment" in one ? `/${one.segment}` : `${one.under ?? ""}${one.suffix}`;
};

test("patterns match what the contract says of any of them, whatever characters they hold", () => {
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), path, piece, (all, base, tail) => {
      const regexes = alternativesOf(all).map(compiled);
      for (const literal of all.map(literalOf)) {
        for (const candidate of [base, base + tail, literal, literal + tail, base + literal, `${literal}/${tail}`]) {
          // A web server's paths begin with a slash.
          if (!candidate.startsWith("/")) continue;
          expect(
            regexes.some((regex) => regex.test(candidate)),
            `${JSON.stringify(all)} on ${JSON.stringify(candidate)}`,
          ).toBe(all.some((one) => matchesPath(one, candidate)));
        }
      }
    }),
  );
});

test("signs that mean something to a configuration are not in it, but for backslashes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii" }), (value) => {
      const regex = regexLiteral(value);
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      expect(regex).not.toMatch(/["#\u0000-\u001f\u007f]|\\(?!x[0-9a-f]{2})|[$%]\{|\\$/);
      expect(compiled(`${regex}\\z`).test(value)).toBe(true);
    }),
  );
  expect(() => regexLiteral("a\ud800")).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }));
});

test("many alternatives are spread over as many expressions as keep each within the limit", () => {
  const match = matching(Array.from({ length: 500 }, (_, index) => ({ exact: `/a.long.path/number.${index}` })));
  const regexes = regexesOf(match, 1500);
  expect(regexes.length).toBeGreaterThan(5);
  expect(regexes.every((regex) => Buffer.byteLength(regex) < 2000)).toBe(true);
  expect(regexes.join("").match(/number/g)).toHaveLength(500);
  expect(regexesOf(match)).toHaveLength(1);
});

test("segments and ends stay within the limit too, each kind of them judged as one", () => {
  const names = Array.from({ length: 200 }, (_, index) => `number.${index}`);
  for (const patterns of [names.map((segment) => ({ segment })), names.map((suffix) => ({ suffix }))]) {
    const regexes = regexesOf(matching(patterns), 1500);
    expect(regexes.every((regex) => Buffer.byteLength(regex) < 2000)).toBe(true);
    expect(regexes.join("").match(/number/g)).toHaveLength(200);
    expect(alternativesOf(patterns.slice(0, 20))).toHaveLength(1);
  }
});

test("a long alternative stands alone, a repeated one once, and none match nothing", () => {
  const match = anyOf(["a".repeat(50), "b", "b", "c"]);
  expect(regexesOf(match, 10)).toEqual([`(?s)^(?:${"a".repeat(50)})`, "(?s)^(?:b|c)"]);
  expect(anyOf([])).toBeNull();
  expect(regexesOf(null)).toEqual(["^"]);
});
