import { tabbedValues } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import {
  accountChecks,
  assertOk,
  assertRefused,
  keep,
  passwordOf,
  refusedElsewhere,
  withSites,
} from "./account-checks.ts";
import type { Check } from "../check.ts";
import type { DatabaseBench } from "./database-bench.ts";
import { hostileNames, orRefused, SEED } from "../hostile.ts";
import { working } from "../resources/resource-bench.ts";
import { resourceChecks } from "../resources/resource-checks.ts";
import { serviceChecks } from "../service-checks.ts";
import { readFacts } from "../views.ts";

/** What every database service promises: its types' promises, and those of the role. */
export const databaseChecks: readonly Check<DatabaseBench>[] = [
  ...serviceChecks,
  ...resourceChecks,
  ...accountChecks,
  {
    name: "a site reaches its own database only, also beside names that its own matches as a pattern",
    async run(bench) {
      const [own, other] = [bench.newId().replace("x", "_"), bench.newId()];
      const near = own.replace("_", "y");
      await withSites(bench, [own, near, other], async () => {
        for (const id of [near, other]) await keep(bench, id);
        for (const neighbour of [near, other]) {
          const binding = { ...bench.way(own), name: neighbour };
          // Not even the door: what stands open inside is the neighbour's affair.
          for (const statement of ["SELECT 1", bench.statements.ask(neighbour)])
            assertRefused(
              bench,
              await bench.subject.login(bench.host, binding, passwordOf(bench, own), statement),
              `${statement} in the database ${neighbour}`,
            );
          for (const statement of bench.subject.forbidden(neighbour))
            assertRefused(bench, await bench.login(own, passwordOf(bench, own), statement), statement);
        }
      });
    },
  },
  {
    name: "a declared web head logs in from its address, any other is refused",
    needs: "hostRestriction",
    async run(bench) {
      const [near, far] = [bench.newId(), bench.newId()];
      const declared = [
        ...bench.role.site(bench.request(near, [bench.webHead.address]), bench.view),
        ...bench.role.site(bench.request(far, ["local", "192.0.2.77"]), bench.view),
      ];
      await working(bench, async (work) => {
        await work.ensure(declared);
        try {
          assertOk(await bench.login(near, passwordOf(bench, near), "SELECT 1", bench.webHead));
          assertRefused(
            bench,
            await bench.login(far, passwordOf(bench, far), "SELECT 1", bench.webHead),
            "an address not declared",
          );
        } finally {
          await work.remove(declared);
        }
      });
    },
  },
  {
    name: "an address that could mean something else is refused, and nothing is changed",
    async run(bench) {
      const before = await bench.snapshot();
      for (const value of hostileNames()) {
        for (const webHeads of [[value], ["%", value]]) {
          // Without a sign that means anything it may be the name of a machine.
          if (webHeads.length === 1 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value)) continue;
          const request = bench.request("sfine", webHeads);
          const made = await orRefused(value, async () =>
            working(bench, async (work) => work.ensure(bench.role.site(request, bench.view))),
          );
          assert.equal(made, "refused", `${JSON.stringify(value)} (seed ${SEED}) was taken as an address`);
        }
      }
      assert.equal(await bench.snapshot(), before);
    },
  },
  { ...refusedElsewhere, needs: "hostRestriction" },
  {
    name: "what a database takes and needs is told before a move, and its own server has it",
    needs: "moving",
    async run(bench) {
      const { moving, view } = bench;
      assert.ok(moving !== undefined, "its role has no `moving`: give it one, or declare that it lacks it");
      const tell = async (argv: readonly string[]): Promise<ReturnType<typeof tabbedValues>> => {
        const { exitCode, stdout, stderr } = await bench.host.server.run({ argv });
        assert.equal(exitCode, 0, stderr);
        return tabbedValues(stdout.toString());
      };
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        await keep(bench, id);
        const [contents, offers] = [await tell(moving.contents(id, view)), await tell(moving.offers(view))];
        const [bytes, log] = [contents("bytes"), offers("log")].map((values) => values.map(Number));
        assert.ok(bytes?.length === 1 && (bytes[0] ?? 0) > 0, `bytes: ${bytes?.join()}`);
        assert.ok(log?.length === 1 && (log[0] ?? -1) >= 0, `log: ${log?.join()}`);
        assert.match(offers("folder").join("\n"), /^\/[^\n]+$/, "folder");
        assert.notDeepEqual(contents("needs"), []);
        assert.deepEqual(
          contents("needs").filter((need) => !offers("has").includes(need)),
          [],
          "what the server lacks for its own database",
        );
      });
      const facts = await readFacts(bench.definition, bench.host, view.service.options);
      assert.deepEqual(moving.problems({ ...view, facts }, { ...view, facts }), []);
    },
  },
];
