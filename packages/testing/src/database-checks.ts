import { isHostwrightError } from "@hostwright/core";
import { strict as assert } from "node:assert";
import type { Check } from "./check.ts";
import type { DatabaseBench, Said } from "./database-bench.ts";
import { sh } from "./host.ts";
import { hostileNames, hostileTexts, orRefused, SEED } from "./hostile.ts";
import { working } from "./resource-bench.ts";
import { resourceChecks } from "./resource-checks.ts";
import { serviceChecks } from "./service-checks.ts";
import { secretOf } from "./target.ts";
import { serverViewOf } from "./views.ts";

const password = (id: string): string => secretOf({ ref: "secret", id: `site/${id}/db-password`, label: "" });

/** With sites of new names standing, which are removed in the end. */
async function withSites(bench: DatabaseBench, ids: readonly string[], use: () => Promise<void>): Promise<void> {
  const all = ids.flatMap((id) => [...bench.sample(id)]);
  await working(bench, async (work) => {
    await work.ensure(all);
    try {
      await use();
    } finally {
      await work.remove(all);
    }
  });
}

function assertOk({ ok, text }: Said): string {
  assert.ok(ok, text);
  return text.trim();
}

function assertRefused(bench: DatabaseBench, { ok, text }: Said, what: string): void {
  assert.ok(!ok, `${what}: it was carried out`);
  assert.match(text, bench.subject.refused, what);
}

const FILL = "CREATE TABLE t (x VARCHAR(40)); INSERT INTO t VALUES ('grün 😀')";

/** What every database service promises: its types' promises, and those of the role. */
export const databaseChecks: readonly Check<DatabaseBench>[] = [
  ...serviceChecks,
  ...resourceChecks,
  {
    name: "a site logs in with its own password and keeps text of any script",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        assertOk(await bench.login(id, password(id), FILL));
        assert.equal(assertOk(await bench.login(id, password(id), "SELECT x FROM t")), "grün 😀");
      });
    },
  },
  {
    name: "no other password is taken, nor none",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        for (const from of [bench.host, bench.webHead]) {
          for (const wrong of ["wrong", `${password(id)}x`, ""])
            assertRefused(
              bench,
              await bench.login(id, wrong, "SELECT 1", from),
              `${JSON.stringify(wrong)} from ${from.name}`,
            );
        }
      });
    },
  },
  {
    name: "a site reaches its own database only, also beside names that its own matches as a pattern",
    async run(bench) {
      const [own, other] = [bench.newId().replace("x", "_"), bench.newId()];
      const near = own.replace("_", "y");
      await withSites(bench, [own, near, other], async () => {
        for (const id of [near, other]) assertOk(await bench.login(id, password(id), FILL));
        for (const neighbour of [near, other]) {
          const binding = { ...bench.definition.role.binding(bench.request(own), bench.view, null), name: neighbour };
          // Not even the door: what stands open inside is the neighbour's affair.
          for (const statement of ["SELECT 1", "SELECT x FROM t"])
            assertRefused(
              bench,
              await bench.subject.login(bench.host, binding, password(own), statement),
              `${statement} in the database ${neighbour}`,
            );
          for (const statement of bench.subject.forbidden(neighbour))
            assertRefused(bench, await bench.login(own, password(own), statement), statement);
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
        ...bench.definition.role.site(bench.request(near, [bench.webHead.address]), bench.view),
        ...bench.definition.role.site(bench.request(far, ["local", "192.0.2.77"]), bench.view),
      ];
      await working(bench, async (work) => {
        await work.ensure(declared);
        try {
          assertOk(await bench.login(near, password(near), "SELECT 1", bench.webHead));
          assertRefused(
            bench,
            await bench.login(far, password(far), "SELECT 1", bench.webHead),
            "an address not declared",
          );
        } finally {
          await work.remove(declared);
        }
      });
    },
  },
  {
    name: "another password ends the old one and keeps what is stored",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        assertOk(await bench.login(id, password(id), FILL));
        await working(bench, async (work) => void (await work.ensure(bench.sample(id))), { resolve: () => "renewed" });
        assertRefused(bench, await bench.login(id, password(id), "SELECT 1"), "the old password");
        assert.equal(assertOk(await bench.login(id, "renewed", "SELECT x FROM t")), "grün 😀");
      });
    },
  },
  {
    name: "a removal leaves nothing of what a site had stored",
    async run(bench) {
      const id = bench.newId();
      const before = await bench.snapshot();
      await withSites(bench, [id], async () => void assertOk(await bench.login(id, password(id), FILL)));
      assert.equal(await bench.snapshot(), before);
      assertRefused(bench, await bench.login(id, password(id), "SELECT 1"), "a login after it");
      await withSites(bench, [id], async () => {
        const { ok } = await bench.login(id, password(id), "SELECT x FROM t");
        assert.ok(!ok, "made again, it has the old contents");
      });
    },
  },
  {
    name: "any password arrives as it is, or is refused",
    async run(bench) {
      const id = bench.newId();
      let taken = 0;
      await withSites(bench, [id], async () => {
        for (const value of ["", ...hostileTexts(12)]) {
          const resolve = (): string => value;
          const made = await orRefused(value, async () =>
            working(bench, async (work) => work.ensure(bench.sample(id)), { resolve }),
          );
          if (made === "refused") continue;
          // Programs end a text at its first NUL, and cannot hold what is not Unicode.
          const possible = value !== "" && !value.includes("\0") && value.isWellFormed();
          assert.ok(possible, `${JSON.stringify(value)} was taken, which no site can log in with`);
          taken += 1;
          const { ok, text } = await bench.login(id, value, "SELECT 1");
          assert.ok(ok, `${JSON.stringify(value)} (seed ${SEED}): ${text}`);
        }
      });
      assert.ok(taken > 10, `only ${taken} passwords were taken`);
    },
  },
  {
    name: "a name or an address that could mean something else is refused, and nothing is changed",
    async run(bench) {
      const before = await bench.snapshot();
      for (const value of hostileNames()) {
        const requests = [bench.request(value), bench.request("sfine", [value]), bench.request("sfine", ["%", value])];
        for (const [index, request] of requests.entries()) {
          // Without a sign that means anything it may be the name of a machine.
          if (index === 1 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value)) continue;
          const made = await orRefused(value, async () =>
            working(bench, async (work) => work.ensure(bench.definition.role.site(request, bench.view))),
          );
          if (made !== "refused")
            await working(bench, async (work) => work.remove(bench.definition.role.site(request, bench.view)));
          const plain = index === 0 && /^[A-Za-z][A-Za-z0-9_]{0,31}$/.test(value);
          assert.ok(made === "refused" || plain, `${JSON.stringify(value)} (seed ${SEED}) was taken as a name`);
        }
      }
      assert.equal(await bench.snapshot(), before);
    },
  },
  {
    name: "the binding leads to the site's own database with a reference for its password",
    async run(bench) {
      const { role } = bench.definition;
      const request = bench.request("s1");
      for (const from of [null, bench.webHead.address]) {
        const binding = role.binding(request, bench.view, from);
        assert.equal(binding.protocol, role.protocol);
        assert.deepEqual(binding.password, request.password);
        if (from !== null) assert.deepEqual([binding.host, binding.socket], [bench.host.address, null]);
      }
    },
  },
  {
    name: "a web head elsewhere is refused where the server listens on its own machine only",
    needs: "hostRestriction",
    async run(bench) {
      const view = serverViewOf(bench.definition, {}, { addresses: [bench.host.address] });
      assert.throws(
        () => bench.definition.role.binding(bench.request("s1"), view, bench.webHead.address),
        (error) => isHostwrightError(error) && error.code === "HW_PREREQUISITE_MISSING" && error.server === view.name,
      );
    },
  },
  {
    name: "a stopped server is told as such, may be tried again, and works when it is started",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        await sh(bench.host, bench.subject.stop);
        const read = async (): Promise<unknown> => working(bench, async (work) => work.compare(bench.sample(id)));
        const error = await read().catch((thrown: unknown) => thrown);
        await sh(bench.host, bench.subject.start);
        assert.ok(isHostwrightError(error) && error.code === "HW_DATABASE_UNREACHABLE", String(error));
        assert.ok(error.retryable);
        await read();
      });
    },
  },
];
