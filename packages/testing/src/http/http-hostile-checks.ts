import type { Entry } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { hostileTexts, orRefused, SEED } from "../hostile.ts";
import type { HttpBench } from "./http-bench.ts";
import { entriesOf, GOOD, siteLike, withEntries } from "./http-entries.ts";
import { hostileOwners, hostileSites } from "./http-hostile.ts";
import { hasControls } from "./http-controls.ts";
import { wordpressRules } from "./http-samples.ts";

/** Puts in force what of the sites is not refused, and sees that nothing of it is quarantined. */
async function published(
  bench: HttpBench,
  sites: ReturnType<typeof hostileSites>,
): Promise<{ readonly taken: number; readonly of: number }> {
  const accepted: Entry[] = [];
  for (const { value, site } of sites) {
    const entries = await orRefused(value, () => entriesOf(bench, site));
    if (entries !== "refused") accepted.push(...entries);
  }
  const content = accepted.map((entry) => entry.content).join("\n");
  await withEntries(bench, [{ name: "hostile.conf", content }], async () => {
    const { quarantined } = await bench.publish({ own: [] });
    assert.deepEqual(quarantined, [], `seed ${SEED}`);
    await GOOD(bench);
  });
  return { taken: accepted.length, of: sites.length };
}

/** Values that a configuration's syntax could trip over, judged by the web server. */
export const hostileChecks: readonly Check<HttpBench>[] = [
  {
    name: "whatever a rule, a title or a path holds is taken as data or refused, and never breaks the configuration",
    async run(bench) {
      const { taken, of } = await published(bench, hostileSites(300));
      assert.ok(taken > 30 && taken < of, `${taken} of ${of} were taken`);
    },
  },
  {
    name: "whatever an owner's own rules hold is taken as data or refused, and never breaks the configuration",
    async run(bench) {
      const { taken, of } = await published(bench, hostileOwners(300));
      assert.ok(taken > of / 2, `only ${taken} of ${of} were taken`);
    },
  },
  {
    name: "a denied path is denied as it is written, whatever signs it holds, and no other is",
    async run(bench) {
      const values = hostileTexts(20)
        .map((text) => `/d${text.replaceAll(/[/.]/g, "")}e`)
        .filter((path) => path.isWellFormed() && !hasControls(path));
      const taken: string[] = [];
      for (const exact of values) {
        const site = siteLike("denying", { rules: { ...wordpressRules, denied: [{ exact }] } });
        if ((await orRefused(exact, () => entriesOf(bench, site))) !== "refused") taken.push(exact);
      }
      const rules = { ...wordpressRules, denied: taken.map((exact) => ({ exact })) };
      await withEntries(bench, entriesOf(bench, siteLike("denying", { rules })), async () => {
        await bench.publish();
        for (const path of taken) {
          const encoded = encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23");
          const shown = `${JSON.stringify(path)} (seed ${SEED})`;
          assert.equal((await bench.get("denying.test", encoded)).status, 404, shown);
          assert.equal((await bench.get("denying.test", `${encoded}z`)).status, 200, `${shown}, and a letter`);
        }
      });
      assert.ok(taken.length > 10, `only ${taken.length} paths were taken`);
    },
  },
  {
    name: "what is no domain is refused as one",
    async run(bench) {
      for (const text of hostileTexts(20)) {
        const name = `a${text}.test`;
        if (/^[a-z0-9.-]+$/.test(name)) continue;
        for (const change of [{ domain: name }, { aliases: [name] }]) {
          const made = await orRefused(name, () => entriesOf(bench, siteLike("named", change)));
          assert.equal(made, "refused", `${JSON.stringify(name)} (seed ${SEED}) was taken as a name`);
        }
      }
    },
  },
];
