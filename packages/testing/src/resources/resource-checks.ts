import { HostwrightError, isHostwrightError } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import {
  assertCode,
  OTHER_SECRET,
  own,
  rejection,
  standing,
  within,
  working,
  type ResourceBench,
} from "./resource-bench.ts";
import { assertNoSecret, secretsSeenDuring } from "../hosts/secret-watch.ts";
import { WatchedServer } from "../hosts/watched-server.ts";
import type { AnyType, Work } from "./work.ts";

/** What every resource type promises, whatever it makes. */
export const resourceChecks: readonly Check<ResourceBench>[] = [
  {
    name: "what was applied reads as it was wanted, and a second apply is empty",
    async run(bench) {
      await standing(bench, async (id, work) => {
        const before = await bench.snapshot();
        assert.deepEqual(await work.ensure(bench.sample(id)), []);
        assert.equal(await bench.snapshot(), before);
      });
    },
  },
  {
    name: "an undo of what was made leaves nothing",
    async run(bench) {
      const before = await bench.snapshot();
      await working(bench, async (work) => {
        const made = await work.ensure(bench.sample(bench.newId()));
        assert.notEqual(await bench.snapshot(), before, "nothing was made");
        await work.undo(made);
      });
      assert.equal(await bench.snapshot(), before);
    },
  },
  {
    name: "an undo of a change gives back what stood",
    needs: "secrets",
    async run(bench) {
      await standing(bench, async (id, work) => {
        const before = await bench.snapshot();
        const changed = async (other: Work): Promise<void> => {
          const made = await other.ensure(bench.sample(id));
          assert.ok(made.length > 0, "another secret is no change");
          assert.notEqual(await bench.snapshot(), before, "the other secret did not arrive");
          await other.undo(made);
        };
        await working(bench, changed, { resolve: OTHER_SECRET });
        assert.equal(await bench.snapshot(), before);
        assert.ok((await work.compare(bench.sample(id))).every(({ satisfied }) => satisfied));
      });
    },
  },
  {
    name: "a removal takes everything, and its undo gives it back",
    async run(bench) {
      const before = await bench.snapshot();
      await standing(bench, async (id, work) => {
        const stood = await bench.snapshot();
        const removed = await work.remove(bench.sample(id));
        assert.equal(await bench.snapshot(), before);
        await work.undo(removed);
        assert.equal(await bench.snapshot(), stood);
      });
      assert.equal(await bench.snapshot(), before);
    },
  },
  {
    name: "what somebody else changed is seen and set right, and an undo brings his change back",
    async run(bench) {
      const drifts = bench.drifts("x");
      assert.ok(drifts.length > 0, "the subject names no drift");
      await standing(bench, async (id, work) => {
        for (const { what, script } of bench.drifts(id)) {
          const right = await bench.snapshot();
          await sh(bench.host, script);
          const drifted = await bench.snapshot();
          assert.notEqual(drifted, right, `${what}: the script changes nothing`);
          assert.ok(
            (await work.compare(bench.sample(id))).some(({ satisfied }) => !satisfied),
            `${what}: not seen`,
          );
          const made = await work.ensure(bench.sample(id));
          assert.equal(await bench.snapshot(), right, `${what}: not set right`);
          await work.undo(made);
          assert.equal(await bench.snapshot(), drifted, `${what}: the undo did not bring it back`);
          await work.ensure(bench.sample(id));
        }
      });
    },
  },
  {
    name: "what is not as it was read is left alone: HW_RESOURCE_CHANGED with its key",
    needs: "ownTypes",
    async run(bench) {
      await standing(bench, async (id, work) => {
        const tried = new Set<AnyType>();
        for (const { what, script } of bench.drifts(id)) {
          const read = own(bench, await work.compare(bench.sample(id)));
          await sh(bench.host, script);
          const drifted = await bench.snapshot();
          for (const { type, key, after, satisfied } of own(bench, await work.compare(bench.sample(id)))) {
            if (satisfied || tried.has(type)) continue;
            tried.add(type);
            const before = read.find((one) => one.type === type && one.key === key)?.before;
            for (const change of [
              { key, before, after: null },
              { key, before: null, after },
            ]) {
              const error = await rejection(
                `${type.name}, ${what}, ${change.before === null ? "a making" : "a removal"}`,
                async () => type.apply(work.target, [change]),
              );
              assertCode(error, "HW_RESOURCE_CHANGED");
              const { message } = error as HostwrightError;
              assert.ok(message.includes(key), `${type.name}: the error does not name ${key}: ${message}`);
            }
          }
          assert.equal(await bench.snapshot(), drifted, `${what}: it was changed all the same`);
          await work.ensure(bench.sample(id));
        }
        assert.ok(tried.size > 0, "no drift is one of the plugin's own types");
      });
      await working(bench, async (work) => {
        const before = await bench.snapshot();
        for (const { type, key, after } of own(bench, await work.compare(bench.sample(bench.newId())))) {
          const gone = async (): Promise<void> => type.apply(work.target, [{ key, before: after, after: null }]);
          // It stands as it was to be: a type may take that for done.
          const error = await gone().catch((thrown: unknown) => thrown);
          if (error !== undefined) assertCode(error, "HW_RESOURCE_CHANGED");
        }
        assert.equal(await bench.snapshot(), before);
      });
    },
  },
  {
    name: "two workers at once: each has done it whole or was told HW_RESOURCE_CHANGED",
    async run(bench) {
      const ids = Array.from({ length: 4 }, () => bench.newId());
      const sample = ids.flatMap((id) => [...bench.sample(id)]);
      const before = await bench.snapshot();
      const one = async (): Promise<unknown> => working(bench, async (work) => void (await work.ensure(sample)));
      const results = await Promise.allSettled([one(), one()]);
      for (const result of results) if (result.status === "rejected") assertCode(result.reason, "HW_RESOURCE_CHANGED");
      await working(bench, async (work) => {
        await work.ensure(sample);
        await work.remove(sample);
      });
      assert.equal(await bench.snapshot(), before);
    },
  },
  {
    name: "many keys are read in as many round trips as one",
    needs: "ownTypes",
    async run(bench) {
      const many = Array.from({ length: 60 }, () => bench.newId()).flatMap((id) => [...bench.sample(id)]);
      const server = new WatchedServer(bench.host.server);
      const count = async (work: Work, type: AnyType, keys: readonly string[]): Promise<number> => {
        const from = server.roundTrips;
        await type.read(work.target, keys, { contents: true });
        return server.roundTrips - from;
      };
      await working(
        bench,
        async (work) => {
          for (const type of bench.types) {
            const keys = many.filter((one) => one.type === type.name).map(({ spec }) => type.key(spec));
            if (keys.length === 0) continue;
            // Its connection is open then.
            await type.read(work.target, keys.slice(0, 1), { contents: true });
            const [few, all] = [await count(work, type, keys.slice(0, 1)), await count(work, type, keys)];
            assert.equal(all, few, `${type.name}: ${all} round trips for ${keys.length} keys, ${few} for one`);
            assert.ok(few <= 2, `${type.name}: ${few} round trips to read one key`);
          }
        },
        {},
        server,
      );
    },
  },
  {
    name: "cut off at any boundary, it is brought whole by a second apply, or taken back",
    async run(bench) {
      const before = await bench.snapshot();
      const whole = new WatchedServer(bench.host.server);
      const first = bench.newId();
      await working(bench, async (work) => void (await work.ensure(bench.sample(first))), {}, whole);
      await working(bench, async (work) => void (await work.remove(bench.sample(first))));
      assert.ok(whole.boundaries > 0, "it never asks the server anything");
      for (let at = 0; at < whole.boundaries; at += 1) {
        const id = bench.newId();
        const cut = new WatchedServer(bench.host.server, at);
        const interrupted = async (work: Work): Promise<void> => void (await work.ensure(bench.sample(id)));
        const error = await within(
          `cut at boundary ${at} of ${whole.boundaries}`,
          working(bench, interrupted, {}, cut),
        ).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        assert.ok(error === null || isHostwrightError(error), `boundary ${at}: ${String(error)}`);
        await working(bench, async (work) => {
          if (at % 2 === 0) await work.ensure(bench.sample(id));
          await work.remove(bench.sample(id));
        }).catch((thrown: unknown) => {
          throw new Error(`cut at boundary ${at} of ${whole.boundaries}: ${String(thrown)}`, { cause: thrown });
        });
        assert.equal(await bench.snapshot(), before, `cut at boundary ${at} of ${whole.boundaries}`);
      }
    },
  },
  {
    name: "who has lost the lease, or was cancelled, changes nothing",
    async run(bench) {
      const before = await bench.snapshot();
      const lost = new HostwrightError("HW_LEASE_LOST", "The test took the lease away.");
      const fence = async (): Promise<void> => Promise.reject(lost);
      const apply = async (work: Work): Promise<void> => void (await work.ensure(bench.sample(bench.newId())));
      assertCode(await rejection("a lost lease", async () => working(bench, apply, { fence })), "HW_LEASE_LOST");
      await rejection("a cancelled task", async () => working(bench, apply, { signal: AbortSignal.abort() }));
      assert.equal(await bench.snapshot(), before);
    },
  },
  {
    name: "secrets are in no argument, environment, diff, error or log",
    needs: "secrets",
    async run(bench) {
      const server = new WatchedServer(bench.host.server);
      const id = bench.newId();
      const sample = bench.sample(id);
      const seen = await secretsSeenDuring(bench.host, async () => {
        const apply = async (work: Work): Promise<void> => {
          const made = await work.ensure(sample);
          for (const { type, key, after } of made) {
            const spec: unknown = sample.find((one) => one.type === type.name && type.key(one.spec) === key)?.spec;
            assertNoSecret(
              `a diff of ${type.name}`,
              type.showSpec(spec),
              type.showState(after),
              type.showState(after, spec),
            );
          }
          // What is there already, and a line that is cut in the middle: whatever is told of them.
          for (const { type, key, after } of own(bench, made)) {
            const change = { key, before: null, after };
            assertNoSecret("an error", await type.apply(work.target, [change]).catch((error: unknown) => error));
            const cut = new WatchedServer(bench.host.server, 1);
            const broken = working(bench, async (other) => type.apply(other.target, [change]), {}, cut);
            assertNoSecret("an error", await broken.catch((error: unknown) => error));
          }
          await work.remove(sample);
        };
        await working(bench, apply, {}, server);
      });
      assertNoSecret("an argument", ...server.words);
      assertNoSecret("a process", seen);
      assertNoSecret("a log", await sh(bench.host, bench.logs));
    },
  },
];
