import { strict as assert } from "node:assert";
import {
  accountChecks,
  assertOk,
  assertRefused,
  keep,
  KEPT,
  passwordOf,
  refusedElsewhere,
  withSites,
} from "./account-checks.ts";
import type { CacheBench } from "./cache-bench.ts";
import type { Check } from "../check.ts";
import { resourceChecks } from "../resources/resource-checks.ts";
import { serviceChecks } from "../service-checks.ts";

/** What every cache service promises: its types' promises, and those of the role. */
export const cacheChecks: readonly Check<CacheBench>[] = [
  ...serviceChecks,
  ...resourceChecks,
  ...accountChecks,
  {
    name: "a site reaches what begins with its own prefix only, also beside a name that begins with its own",
    async run(bench) {
      const own = bench.newId();
      const [near, other] = [`${own}9`, bench.newId()];
      await withSites(bench, [own, near, other], async () => {
        for (const id of [near, other]) {
          await keep(bench, id);
          const key = `${bench.way(id).prefix}kept`;
          const { put, get } = bench.subject;
          for (const statement of [get(key), put(key, "of another"), ...bench.subject.forbidden(id)])
            assertRefused(bench, await bench.login(own, passwordOf(bench, own), statement), `${own}: ${statement}`);
          assert.equal(assertOk(await bench.login(id, passwordOf(bench, id), bench.statements.ask(id))), KEPT);
        }
        const prefixes = [own, near, other].map((id) => bench.way(id).prefix);
        for (const one of prefixes)
          assert.equal(prefixes.filter((prefix) => prefix.startsWith(one)).length, 1, `${one} begins another prefix`);
      });
    },
  },
  {
    name: "a site on a web head elsewhere reaches the same as one on the machine itself",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        await keep(bench, id);
        const said = await bench.login(id, passwordOf(bench, id), bench.statements.ask(id), bench.webHead);
        assert.equal(assertOk(said), KEPT);
      });
    },
  },
  refusedElsewhere,
  {
    name: "a restart of the server keeps every account",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        const accounts = await bench.snapshot();
        await bench.host.exec(["sh", "-c", `${bench.subject.stop}; ${bench.subject.start}`]);
        assert.equal(await bench.snapshot(), accounts);
        await keep(bench, id);
      });
    },
  },
];
