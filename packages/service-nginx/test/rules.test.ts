import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { PathPattern } from "@hostwright/core";
import { anyOf, matching, patternRegex, scripts } from "../src/rules.ts";
import { wordpressRules } from "../../../test/support/http-samples.ts";

/** What the contract says of a pattern, without regular expressions. */
function matches(pattern: PathPattern, path: string): boolean {
  if ("exact" in pattern) return path === pattern.exact;
  if ("prefix" in pattern) return path.startsWith(pattern.prefix);
  if ("segment" in pattern) return path.split("/").slice(1).includes(pattern.segment);
  const under = pattern.under ?? "";
  return path.startsWith(under) && path.slice(under.length).endsWith(pattern.suffix);
}

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

/** JavaScript's closest to what nginx does: PCRE with `(?s)` and `\z`. */
const compiled = (regex: string): RegExp => new RegExp(`^(?:${regex.replaceAll("\\z", "$")})`, "s");

test("a pattern matches what the contract says, whatever characters it holds", () => {
  fc.assert(
    fc.property(pattern, path, piece, (one, base, tail) => {
      const literal =
        "exact" in one
          ? one.exact
          : "prefix" in one
            ? one.prefix
            : "segment" in one
              ? `/${one.segment}`
              : `${one.under ?? ""}${one.suffix}`;
      for (const candidate of [base, base + tail, literal, literal + tail, base + literal, `${literal}/${tail}`]) {
        expect(
          compiled(patternRegex(one)).test(candidate),
          `${JSON.stringify(one)} on ${JSON.stringify(candidate)}`,
        ).toBe(matches(one, candidate));
      }
    }),
  );
});

test("many alternatives are spread over tokens that nginx can read", () => {
  const tokens = matching(Array.from({ length: 500 }, (_, index) => ({ exact: `/a.long.path/number.${index}` })));
  expect(tokens.length).toBeGreaterThan(5);
  expect(tokens.every((token) => Buffer.byteLength(token) < 4000)).toBe(true);
  expect(tokens.join("").match(/number/g)).toHaveLength(500);
  expect(anyOf([])).toEqual([]);
});

test("scripts below the site's own folder are looked for there, all others in the release", () => {
  expect(scripts(wordpressRules, "own").join()).toContain("/wp-content/plugins/shop/pay[.]php");
  expect(scripts(wordpressRules, "own").join()).not.toContain("wp-login");
  expect(scripts(wordpressRules, "release").join()).not.toContain("pay");
  expect(scripts({ ...wordpressRules, phpEntryPoints: [{ suffix: "/x.php" }] }, "own").join()).toContain(
    "(?=/wp-content/)",
  );
});
