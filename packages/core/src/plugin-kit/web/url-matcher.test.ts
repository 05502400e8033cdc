import * as fc from "fast-check";
import { expect, test } from "vitest";
import { byPcre, byRe2 } from "../../../../../test/support/expressions.ts";
import { matchesPath } from "../../model/own-rules.ts";
import { toPcre } from "./to-pcre.ts";
import { toRe2 } from "./to-re2.ts";
import type { UrlLeaf, UrlMatcher } from "./url-matcher.ts";

const seed = Number(process.env["HOSTWRIGHT_TEST_SEED"] ?? Date.now() % 2 ** 31);

const SIGNS = [...'abA.-[]^\\*+()|?$"#é\n', "php", "PHP", ".php5", ".phtml", ".well-known", ".well", "{2}"];
const piece = fc.string({ unit: fc.constantFrom(...SIGNS), maxLength: 3 });
const path = fc.array(piece, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);

const leaf: fc.Arbitrary<UrlLeaf> = fc.oneof(
  path.map((exact) => ({ exact })),
  path.map((prefix) => ({ prefix: `${prefix}/` })),
  piece.map((segment) => ({ segment })),
  piece.map((suffix) => ({ suffix })),
  fc.tuple(piece, path).map(([suffix, under]) => ({ suffix, under: `${under}/` })),
  path.map((script) => ({ script })),
  piece.map((scriptSuffix) => ({ scriptSuffix })),
  fc.constantFrom({ looksLike: "hidden" }, { looksLike: "php" }),
);
const { tree } = fc.letrec<{ tree: UrlMatcher; many: readonly UrlMatcher[] }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    tie("many").map((any) => ({ any })),
    tie("many").map((all) => ({ all })),
    tie("tree").map((not) => ({ not })),
  ),
  many: fc.array(tie("tree"), { maxLength: 3 }),
}));

/** What the tree says, without a regular expression but for letters of either case. */
function matches(matcher: UrlMatcher, url: string): boolean {
  if ("any" in matcher) return matcher.any.some((one) => matches(one, url));
  if ("all" in matcher) return matcher.all.every((one) => matches(one, url));
  if ("not" in matcher) return !matches(matcher.not, url);
  if ("script" in matcher) return url === matcher.script || url.startsWith(`${matcher.script}/`);
  if ("scriptSuffix" in matcher) return url.endsWith(matcher.scriptSuffix);
  if (!("looksLike" in matcher)) return matchesPath(matcher, url);
  const segments = url.split("/").slice(1);
  if (matcher.looksLike === "hidden") return segments.some((one) => one.startsWith(".") && one !== ".well-known");
  return segments.some((one) => /\.(?:php[0-9]?|phtml|phar)$/i.test(one));
}

function textsOf(matcher: UrlMatcher): readonly string[] {
  if ("any" in matcher) return matcher.any.flatMap(textsOf);
  if ("all" in matcher) return matcher.all.flatMap(textsOf);
  if ("not" in matcher) return textsOf(matcher.not);
  if ("looksLike" in matcher) return matcher.looksLike === "php" ? ["x.Phar", ".php5"] : [".x", ".well-known"];
  return Object.values(matcher);
}

/** Paths that the tree's own texts make, whole and in part, with what a hasty expression trips over between them. */
const pathsFor = (matcher: UrlMatcher): fc.Arbitrary<string> => {
  const texts = textsOf(matcher);
  const part = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("/", ...texts) },
    { weight: 1, arbitrary: fc.constantFrom("\n", ".", ...SIGNS, ...texts.map((text) => text.toUpperCase())) },
    { weight: 1, arbitrary: fc.constantFrom("/", ...texts.flatMap((text) => [text.slice(1), text.slice(0, -1)])) },
  );
  return fc.array(part, { maxLength: 5 }).map((parts) => parts.join("").replace(/^\/?/, "/"));
};

const cases = tree.chain((matcher) => fc.tuple(fc.constant(matcher), fc.array(pathsFor(matcher), { minLength: 12 })));
const shown = (matcher: UrlMatcher, url: string): string => `${JSON.stringify(matcher)} on ${JSON.stringify(url)}`;

test(`PCRE and RE2 match what the tree says, whatever characters are in it (seed ${seed})`, () => {
  const seen = { matched: 0, other: 0 };
  fc.assert(
    fc.property(cases, fc.constantFrom(1, 40, Infinity), ([matcher, urls], maxBytes) => {
      const [pcre, re2] = [toPcre(matcher, maxBytes), toRe2(matcher)];
      for (const url of urls) {
        const expected = matches(matcher, url);
        seen[expected ? "matched" : "other"] += 1;
        expect(byPcre(pcre, url) !== null, `PCRE: ${shown(matcher, url)}`).toBe(expected);
        expect(byRe2(re2, url) !== null, `RE2: ${shown(matcher, url)}`).toBe(expected);
      }
    }),
    { seed, numRuns: 1500 },
  );
  expect(Math.min(seen.matched, seen.other)).toBeGreaterThan((seen.matched + seen.other) / 10);
});

test(`both name the same script, and the path behind it (seed ${seed})`, () => {
  const scripts = fc.array(path, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(scripts, fc.constantFrom("", "/", "/a\n/b", "a"), fc.nat(2), (all, behind, index) => {
      const matcher = { any: all.map((script) => ({ script })) };
      const url = `${all[index % all.length]}${behind}`;
      const script = all.find((one) => matches({ script: one }, url));
      const expected =
        script === undefined
          ? null
          : { hw_script: script, hw_info: script === url ? undefined : url.slice(script.length) };
      expect(byPcre(toPcre(matcher), url), shown(matcher, url)).toEqual(expected);
      expect(byRe2(toRe2(matcher), url), shown(matcher, url)).toEqual(expected);
    }),
    { seed, numRuns: 500 },
  );
  const below = { all: [{ any: [{ prefix: "/a/" }] }, { scriptSuffix: ".php" }] };
  const whole = { hw_script: "/a/b.php/c.php", hw_info: "" };
  expect([byPcre(toPcre(below), whole.hw_script), byRe2(toRe2(below), whole.hw_script)]).toEqual([whole, whole]);
});
