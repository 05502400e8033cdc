import * as fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { formerRedirectLoop } from "../../test/former-redirect-loop.ts";
import type { Redirect } from "./own-rules.ts";
import { redirectLoop } from "./redirect-loop.ts";

const redirect = (from: Redirect["from"], target: string): Redirect => ({ from, to: target, status: 301 });

/** Many folders. */
const DEEP = "a/".repeat(480);
/** Twenty in a row. */
const next = (n: number, before: string): string => (n % 20 === 0 ? "/end/" : `${before}${n - 1}/`);

describe("redirects that lead back", () => {
  test.each<[string, readonly Redirect[]]>([
    ["to itself", [redirect({ exact: "/a b" }, "/a%20b")]],
    ["by its own name", [redirect({ exact: "/a" }, "http://www.own.example/a")]],
    ["in turns", [redirect({ exact: "/a" }, "/b"), redirect({ exact: "/b" }, "/a")]],
    ["growing", [redirect({ prefix: "/a/" }, "/a/b/")]],
    ["by what a prefix keeps", [redirect({ exact: "/b/x" }, "/a/x"), redirect({ prefix: "/a/" }, "/b/")]],
    ["from everything", [redirect({ prefix: "/" }, "/moved/")]],
  ])("%s are found", (_how, list) => expect(redirectLoop(list, ["own.example", "www.own.example"])).not.toBeNull());

  test("and so are those that are more in a row than browsers follow", () => {
    const row = (length: number) =>
      Array.from({ length }, (_, n) => redirect({ exact: `/${n}` }, `/${n + 1}`)).toReversed();
    expect(redirectLoop(row(20), ["own.example"])).toBeNull();
    expect(redirectLoop(row(21), ["own.example"])).toBe("/0");
  });

  test("and no others", () => {
    const list = [
      redirect({ exact: "/a" }, "/b"),
      redirect({ exact: "/b" }, "https://other.example/a"),
      redirect({ prefix: "/c/" }, "/a"),
      redirect({ prefix: "/old/" }, "/"),
      redirect({ exact: "/s" }, "/old/old/old/old/old/old/old/"),
      redirect({ exact: "/c" }, "/c/"),
      // The first that matches counts.
      redirect({ prefix: "/c/d/" }, "/c/d/"),
    ];
    expect(redirectLoop(list, ["own.example"])).toBeNull();
  });

  test.each<[string, (n: number) => Redirect]>([
    ["exact ones", (n) => redirect({ exact: `/${n}` }, n % 20 === 0 ? "/end" : `/${n - 1}`)],
    ["prefixes", (n) => redirect({ prefix: `/${n}/a/b/` }, n % 20 === 0 ? "/end/" : `/${n - 1}/a/b/`)],
  ])("are looked for without a look at all of them at each step: %s", (_what, make) => {
    let looks = 0;
    const list = Array.from({ length: 1_000 }, (_, n): Redirect => {
      const { from, to, status } = make(n);
      const counted = { to, status, from };
      return Object.defineProperty(counted, "from", { get: () => ((looks += 1), from) });
    });
    const parse = vi.spyOn(globalThis, "URL");
    onTestFinished(() => parse.mockRestore());
    expect(redirectLoop(list, ["own.example"])).toBeNull();
    expect(parse.mock.calls.length).toBeLessThanOrEqual(1_000);
    // As many steps from each as browsers follow, and a few looks at each step.
    expect(looks).toBeLessThan(1_000 * 20 * 4);
  });

  const PATHS = fc
    .array(fc.constantFrom("a", "b", "ab", "%20", "ä"), { maxLength: 4 })
    .map((names) => `/${names.map((name) => `${name}/`).join("")}`);
  const FROM = fc.oneof(
    PATHS.map((prefix) => ({ prefix: decodeURI(prefix) })),
    PATHS.map((exact) => ({ exact: decodeURI(exact) })),
    PATHS.map((exact) => ({ exact: decodeURI(exact.slice(0, -1) || "/") })),
  );
  const TO = fc
    .tuple(fc.constantFrom("", "", "", "http://own.example", "https://other.example"), PATHS)
    .map(([host, path]) => host + path);

  test("are those that a look folder by folder finds, whatever they are", () => {
    const list = fc.array(fc.tuple(FROM, TO), { maxLength: 12 });
    const found = { loops: 0, none: 0 };
    fc.assert(
      fc.property(list, (pairs) => {
        const redirects = pairs.map(([from, to]) => redirect(from, to));
        const said = redirectLoop(redirects, ["own.example"]);
        found[said === null ? "none" : "loops"] += 1;
        expect(said).toBe(formerRedirectLoop(redirects, ["own.example"]));
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(found.loops, found.none)).toBeGreaterThan(100);
  });

  test.each<[string, (n: number) => Redirect]>([
    ["of which many begin alike", (n) => redirect({ prefix: `/${DEEP}${n}/` }, next(n, `/${DEEP}`))],
    ["of which each begins otherwise", (n) => redirect({ prefix: `/${n}/${DEEP}` }, `${next(n, "/")}${DEEP}`)],
  ])("are looked for in a quarter of the time of a look folder by folder, among long prefixes %s", (_how, make) => {
    const list = Array.from({ length: 200 }, (_, n) => make(n));
    const spent = (look: typeof redirectLoop): number => {
      const before = process.threadCpuUsage();
      expect(look(list, ["own.example"])).toBeNull();
      const { user, system } = process.threadCpuUsage(before);
      return user + system;
    };
    const now = Math.min(spent(redirectLoop), spent(redirectLoop), spent(redirectLoop));
    expect(now).toBeLessThan(spent(formerRedirectLoop) / 4);
  });
});
