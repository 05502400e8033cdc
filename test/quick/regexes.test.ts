import { describe, expect, test } from "vitest";
import { attackOn, regexesOf, type Literal } from "./regexes.ts";
import { filesBelow } from "./sources.ts";

const seed = Number(process.env["HOSTWRIGHT_TEST_SEED"] ?? Date.now() % 2 ** 31);

// The conformance kit reads what its own samples answer.
const found = filesBelow("packages", ".ts")
  .filter((file) => /^packages\/(?!testing\/)[^/]+\/src\//.test(file) && !file.endsWith(".test.ts"))
  .flatMap(regexesOf);

describe(`regular expressions over what sites, servers and users send (seed ${seed})`, () => {
  test("are all written as literals, so that they can be judged", () => {
    expect(found.filter((one) => one === null)).toEqual([]);
    expect(found.length).toBeGreaterThan(100);
  });

  test("take time in proportion to the text, whatever the text", () => {
    const slow = found
      .filter((one): one is Literal => one !== null)
      .map(({ where, regex }) => ({ where, regex: String(regex), attack: attackOn(regex, seed) }))
      .filter(({ attack }) => attack !== null);
    expect(slow).toEqual([]);
  });

  test.each([
    [/<title[^>]*>([^<]*)<\/title>/i],
    [/(\d+\.\d+)/],
    [/^([^:\n]+):\s*user\s*=\s*"?([^"\s;]+)/gm],
    [/^(a|a)*$/],
    [/^(\w+\s?)*$/],
  ])("%s would be found", (regex) => {
    // What is drawn may miss it, and what else the machine does may hide it: once in many, but not five times.
    expect([0, 1, 2, 3, 4].some((more) => attackOn(regex, seed + more) !== null)).toBe(true);
  });
});
