import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Redirect } from "./own-rules.ts";
import { redirectLoop } from "./redirect-loop.ts";

const redirect = (from: Redirect["from"], target: string): Redirect => ({ from, to: target, status: 301 });

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
});
