import { describe, expect, test } from "vitest";
import { assertKnown, failureOf, HttpBench, httpChecks } from "../src/index.ts";
import { MEMBERS, type Answer } from "../src/http/http-bench.ts";
import { hasControls } from "../src/http/http-controls.ts";

type Answers = (path: string, user: string | undefined) => Partial<Answer>;

/** What the checks of this name say of a web server that answers so; of it they ask nothing but pages. */
async function judged(name: string, answers: Answers): Promise<readonly (string | null)[]> {
  const bench = Object.create(HttpBench.prototype) as HttpBench;
  bench.get = async (_site, path, ...args) => {
    const user = args[args.indexOf("-u") + 1];
    return { status: 200, headers: "", body: "", ...answers(path, args.includes("-u") ? user : undefined) };
  };
  const checks = httpChecks.filter((check) => check.name.startsWith(name));
  expect(checks.length).toBeGreaterThan(0);
  return Promise.all(checks.map(async (check) => failureOf(check, bench)));
}

describe("a web server that asks for a password", () => {
  const before: Readonly<Record<string, Partial<Answer>>> = {
    "/.well-known/acme-challenge/token": { body: "challenge\n" },
    "/old%20page": { status: 301 },
    "/.env": { status: 404 },
  };
  const withRealm =
    (realm: string): Answers =>
    (path, user) => {
      const known = Object.entries(MEMBERS).some(([name, password]) => user === `${name}:${password}`);
      if (before[path] !== undefined) return before[path];
      if (!known) return { status: 401, headers: `HTTP/1.1 401\r\nWWW-Authenticate: Basic realm=${realm}\r\n` };
      if (path.includes("missing")) return { status: 404 };
      return { headers: "X-Told: /\r\n", body: "release\n" };
    };

  test.each(['"Members, only"', '"Members, only", charset="UTF-8"', '"Members, only",charset="UTF-8"'])(
    "may tell the realm as %s",
    async (realm) => {
      expect(await judged("a password stands", withRealm(realm))).toEqual([null]);
    },
  );

  test.each([
    '"Members, only", charset="latin1"',
    '"Others", charset="UTF-8"',
    '"Members, only", charset="UTF-8", x="y"',
  ])("may not tell it as %s", async (realm) => {
    expect(await judged("a password stands", withRealm(realm))).toEqual([expect.stringContaining("did not match")]);
  });
});

describe("a web server that refuses paths with control characters with 400", () => {
  const refuses: Answers = (path) => ({ status: hasControls(decodeURIComponent(path)) ? 400 : 200 });
  const CONTROLS = "a path with a control character";

  test("opens nothing by it, and is held to no more once it declares so", async () => {
    expect(await judged(`${CONTROLS} opens nothing`, refuses)).toEqual([null]);
    expect(await judged(`${CONTROLS} is judged`, refuses)).toEqual([expect.any(String)]);
    const held = httpChecks.filter(({ name, needs }) => name.startsWith(CONTROLS) && needs !== "controlCharacters");
    expect(held.map(({ name }) => name)).toEqual([expect.stringContaining("opens nothing") as string]);
    expect(() => assertKnown(httpChecks, { controlCharacters: "it refuses them with 400" })).not.toThrow();
  });

  test.each<[string, Partial<Answer>]>([
    ["a failure", { status: 500 }],
    ["a file that is closed", { body: "secret source" }],
    ["another script", { body: "php /srv/platforms/wordpress/web/wp-login.php  /x\n" }],
  ])("may not answer one of them with %s instead", async (_what, answer) => {
    const one: Answers = (path, user) => (path.includes("%7F") ? answer : refuses(path, user));
    expect(await judged(`${CONTROLS} opens nothing`, one)).toEqual([expect.any(String)]);
  });
});
