import { rmSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeWeb } from "../../../test/fake-web.ts";
import { isHostwrightError } from "../../errors/hostwright-error.ts";
import { pendingPublication, publish, type PublishResult } from "./publisher.ts";

let web: FakeWeb;
beforeEach(() => {
  web = new FakeWeb(false);
});
afterEach(async () => web[Symbol.asyncDispose]());

/** Of the result, or of the error: what was refused. */
async function tryToPublish(
  fake: FakeWeb,
  own?: readonly string[],
): Promise<{ readonly result: PublishResult | null; readonly refused: readonly string[]; readonly code: string }> {
  try {
    const result = await publish(fake.target, fake.publication, own === undefined ? {} : { own });
    return { result, refused: [], code: "" };
  } catch (error) {
    if (!isHostwrightError(error)) throw error;
    return { result: null, refused: error.data["entries"] as readonly string[], code: error.code };
  }
}

const accepts = (entries: ReadonlyMap<string, string>): boolean => {
  const words = [...entries].flatMap(([name, content]) => (name.endsWith(".conf") ? content.split(" ") : []));
  const pairs = words.filter((word) => word.startsWith("bad-beside"));
  return !words.includes("bad") && new Set(pairs).size === pairs.length;
};

const merged = (
  base: ReadonlyMap<string, string>,
  changes: Iterable<readonly [string, string | null]>,
): Map<string, string> => {
  const result = new Map(base);
  for (const [name, content] of changes) {
    if (content === null) result.delete(name);
    else result.set(name, content);
  }
  return result;
};

const COUNT = 12;
const names = Array.from({ length: COUNT }, (_, index) => `s${index}.conf`);
const good = fc.constantFrom("good", "better", "good bad-beside:1", "good bad-beside:2");
const cases = fc.record({
  byName: fc.boolean(),
  before: fc.dictionary(fc.constantFrom(...names), good, { maxKeys: 5 }),
  changes: fc.dictionary(
    fc.constantFrom(...names, "shared.inc"),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant("new") },
      { weight: 2, arbitrary: good },
      fc.constant("bad"),
      fc.constant(null),
    ),
    { minKeys: 1, maxKeys: COUNT },
  ),
  own: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }),
});

test("exactly what is refused is quarantined, alone or beside others; all others are published, in a bounded number of tests", async () => {
  let [most, runs, worst] = [0, 0, ""];
  const seed = Number(process.env["HOSTWRIGHT_TEST_SEED"] ?? Date.now() % 1_000_000);
  await fc.assert(
    fc.asyncProperty(cases, async ({ byName, before, changes, own }) => {
      await using fake = new FakeWeb(byName);
      fake.write(new Map(Object.entries(before)));
      await tryToPublish(fake, []);
      const old = fake.inForce();
      for (const name of Object.keys(before)) if (!old.has(name)) rmSync(join(fake.root, "entries", name));
      await tryToPublish(fake, []);
      fake.count("tests");
      fake.count("reloads");

      const wanted = new Map(Object.entries(changes));
      fake.write(wanted);
      const differing = [...wanted].filter(([name, content]) => (old.get(name) ?? null) !== content);
      const { result, refused, code } = await tryToPublish(fake, own);
      const inForce = fake.inForce();
      const left = differing.filter(([name, content]) => (inForce.get(name) ?? null) !== content);
      const leftNames = left.map(([name]) => name).toSorted();
      // What stands is accepted; each is as it was, or as it was written.
      expect(accepts(inForce)).toBe(true);
      expect(inForce).toEqual(
        merged(
          merged(old, wanted),
          left.map(([name]) => [name, old.get(name) ?? null]),
        ),
      );
      // Nobody is quarantined for nothing: alone it is refused, or beside what stands.
      for (const [name, content] of left) {
        const fits = accepts(merged(inForce, [[name, content]]));
        expect([name, fits && (!byName || !String(content).includes("bad"))]).toEqual([name, false]);
      }
      // Who is accepted beside what was in force does not suffer from others.
      const fitting = differing.filter((change) => own.includes(change[0]));
      if (fitting.length > 0 && accepts(merged(old, fitting))) {
        expect([code, leftNames.filter((name) => own.includes(name))]).toEqual(["", []]);
      }
      const mine = leftNames.filter((name) => own.includes(name));
      expect(code).toBe(mine.length > 0 ? "HW_HTTP_CONFIG_REFUSED" : "");
      expect(refused.toSorted()).toEqual(mine);
      if (result !== null) expect(result.quarantined.map(({ name }) => name).toSorted()).toEqual(leftNames);
      expect(fake.count("reloads")).toBeLessThanOrEqual(1);

      const tests = fake.count("tests");
      // By message: two for each refused entry. By halving: log2(n) + 2 for each; all and the untouched twice. One that is
      // refused only beside others is searched for as well, and taken in after all when those are quarantined.
      const each = Math.ceil(Math.log2(Math.max(2, differing.length))) + 2;
      const passing = differing.filter(
        ([, content]) => content?.includes("bad-beside") === true && !left.some(([, it]) => it === content),
      );
      const bound = 4 + (left.length + passing.length) * each + (byName ? 2 * left.length : 0);
      expect(tests).toBeLessThanOrEqual(bound);
      runs++;
      if (tests > most)
        [most, worst] = [
          tests,
          `${differing.length} changed, ${left.length} refused, ${byName ? "named" : "not named"}: bound ${bound}`,
        ];

      const pending = await pendingPublication(fake.target, fake.publication);
      // In the order in which they were found, which is nobody's promise.
      const byItsName = (a: { readonly name: string }, b: { readonly name: string }): number =>
        a.name < b.name ? -1 : 1;
      if (result !== null)
        expect({ ...pending, quarantined: pending.quarantined.toSorted(byItsName) }).toMatchObject({
          waits: false,
          quarantined: result.quarantined.toSorted(byItsName),
        });
    }),
    { numRuns: process.env["HOSTWRIGHT_TEST_FULL"] === "1" ? 30 : 5, seed },
  );
  console.info(`halving: seed ${seed}, ${runs} runs, most tests ${most} (${worst})`);
}, 120_000);

test.each([true, false])(
  "before the first generation of a service that cannot be without one, only what is refused is quarantined (named: %s)",
  async (names) => {
    await using fake = new FakeWeb(names, { needsOne: true, byCommand: true });
    fake.write(new Map([["b.conf", "bad"]]));
    expect(await tryToPublish(fake, ["b.conf"])).toMatchObject({ code: "HW_HTTP_CONFIG_REFUSED", refused: ["b.conf"] });
    expect(fake.count("reloads")).toBe(0);
    fake.write(
      new Map([
        ["a.conf", "good"],
        ["c.conf", "good"],
      ]),
    );
    const { result } = await tryToPublish(fake, ["a.conf"]);
    expect(result).toMatchObject({ generation: 1, quarantined: [{ name: "b.conf" }] });
    expect([...fake.inForce().keys()]).toEqual(["a.conf", "c.conf"]);
  },
);

test("an entry of the caller's comes before those of others, whatever their names", async () => {
  web.write(
    new Map([
      ["a.conf", "bad-beside:1"],
      ["m.conf", "bad"],
      ["z.conf", "bad-beside:1"],
    ]),
  );
  const { result } = await tryToPublish(web, ["z.conf"]);
  expect(result?.quarantined.map(({ name }) => name)).toEqual(["a.conf", "m.conf"]);
  expect(web.inForce()).toEqual(new Map([["z.conf", "bad-beside:1"]]));
});

test("an entry that only fits what another change makes room for is not quarantined with a third", async () => {
  web.write(new Map([["s3.conf", "bad-beside:1"]]));
  await publish(web.target, web.publication);
  web.write(
    new Map([
      ["s0.conf", "bad-beside:1"],
      ["s3.conf", "moved"],
      ["s5.conf", "bad"],
    ]),
  );
  const { result } = await tryToPublish(web, []);
  expect(result?.quarantined).toEqual([{ name: "s5.conf", reason: "something is wrong" }]);
  expect(web.inForce()).toEqual(
    new Map([
      ["s0.conf", "bad-beside:1"],
      ["s3.conf", "moved"],
    ]),
  );
});

test("what is only refused at the reload costs one more attempt, and fails its own task alone", async () => {
  web.write(new Map([["old.conf", "good"]]));
  await publish(web.target, web.publication);
  web.count("reloads");
  web.write(
    new Map([
      ["a.conf", "good"],
      ["b.conf", "kills"],
      ["c.conf", "good"],
    ]),
  );
  const { result } = await tryToPublish(web, ["a.conf"]);
  expect(result?.quarantined.map(({ name }) => name)).toEqual(["b.conf", "c.conf"]);
  expect([...web.inForce().keys()]).toEqual(["a.conf", "old.conf"]);
  // Refused, gone back, taken.
  expect(web.count("reloads")).toBe(3);
  expect((await tryToPublish(web, [])).result).toMatchObject({ changed: false });
  expect(await tryToPublish(web, ["b.conf"])).toMatchObject({ code: "HW_HTTP_RELOAD_FAILED", refused: ["b.conf"] });
  expect((await tryToPublish(web, ["c.conf"])).result?.quarantined.map(({ name }) => name)).toEqual(["b.conf"]);
  web.write(new Map([["b.conf", "repaired"]]));
  expect((await tryToPublish(web, [])).result).toMatchObject({ entries: ["b.conf"], quarantined: [] });
  expect([...web.inForce().keys()]).toEqual(["a.conf", "b.conf", "c.conf", "old.conf"]);
});

test("more others than fit into a command line are quarantined in one attempt, and are published when the cause is repaired", async () => {
  const many = Array.from({ length: 1200 }, (_, index) => [`s${index}-${"x".repeat(30)}.conf`, "good"] as const);
  web.write(new Map([...many, ["kills.conf", "kills"], ["own.conf", "good"]]));
  const started = performance.now();
  const { result } = await tryToPublish(web, ["own.conf"]);
  console.info(`1,201 others quarantined at a reload: ${Math.round(performance.now() - started)} ms`);
  expect(result?.quarantined).toHaveLength(1201);
  expect([...web.inForce().keys()]).toEqual(["own.conf"]);
  expect((await pendingPublication(web.target, web.publication)).quarantined).toHaveLength(1201);
  web.write(new Map([["kills.conf", "repaired"]]));
  expect((await pendingPublication(web.target, web.publication)).waits).toBe(true);
  expect((await tryToPublish(web, [])).result?.entries).toHaveLength(1201);
});
