import { isHostwrightError, type Binding } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import type { AccountBench, Said } from "./account-bench.ts";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import { hostileNames, hostileTexts, orRefused, SEED } from "../hostile.ts";
import { rejection, working } from "../resources/resource-bench.ts";
import { secretOf } from "../resources/target.ts";
import { serverView } from "../views.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- how sites reach it does not matter here
export type AnyAccountBench = AccountBench<any>;

/** Of many scripts, one sign outside the first plane among them. */
export const KEPT = "grün 😀";

export const passwordOf = (bench: AnyAccountBench, id: string): string => secretOf(bench.request(id).password);

/** With sites of new names standing, which are removed in the end. */
export async function withSites(
  bench: AnyAccountBench,
  ids: readonly string[],
  use: () => Promise<void>,
): Promise<void> {
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

export function assertOk({ ok, text }: Said): string {
  assert.ok(ok, text);
  return text.trim();
}

export function assertRefused(bench: AnyAccountBench, { ok, text }: Said, what: string): void {
  assert.ok(!ok, `${what}: it was carried out`);
  assert.match(text, bench.subject.refused, what);
}

/** Keeps the text and asks for it, with the site's own password. */
export async function keep(bench: AnyAccountBench, id: string): Promise<void> {
  assertOk(await bench.login(id, passwordOf(bench, id), bench.statements.keep(id, KEPT)));
}

async function kept(bench: AnyAccountBench, id: string, password = passwordOf(bench, id)): Promise<string> {
  return assertOk(await bench.login(id, password, bench.statements.ask(id)));
}

/** Beside the way of a web head that the server does not listen to. */
export const refusedElsewhere: Check<AnyAccountBench> = {
  name: "a web head elsewhere is refused where the server listens on its own machine only",
  async run(bench) {
    const view = serverView(bench.definition, {}, { addresses: [bench.host.address] });
    assert.throws(
      () => bench.role.binding(bench.request("s1"), view, bench.webHead.address) as unknown,
      (error) => isHostwrightError(error) && error.code === "HW_PREREQUISITE_MISSING" && error.server === view.name,
    );
  },
};

/** What every service promises at which sites have accounts. */
export const accountChecks: readonly Check<AnyAccountBench>[] = [
  {
    name: "a site logs in with its own password and keeps text of any script",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        await keep(bench, id);
        assert.equal(await kept(bench, id), KEPT);
      });
    },
  },
  {
    name: "no other password is taken, nor none",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        await keep(bench, id);
        for (const from of [bench.host, bench.webHead]) {
          for (const wrong of ["wrong", `${passwordOf(bench, id)}x`, ""])
            assertRefused(
              bench,
              await bench.login(id, wrong, bench.statements.ask(id), from),
              `${JSON.stringify(wrong)} from ${from.name}`,
            );
        }
      });
    },
  },
  {
    name: "another password ends the old one and keeps what is stored",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        await keep(bench, id);
        await working(bench, async (work) => void (await work.ensure(bench.sample(id))), { resolve: () => "renewed" });
        const old = await bench.login(id, passwordOf(bench, id), bench.statements.ask(id));
        assertRefused(bench, old, "the old password");
        assert.equal(await kept(bench, id, "renewed"), KEPT);
      });
    },
  },
  {
    name: "a removal leaves nothing of what a site had stored",
    async run(bench) {
      const id = bench.newId();
      const before = await bench.snapshot();
      await withSites(bench, [id], async () => keep(bench, id));
      assert.equal(await bench.snapshot(), before);
      const ask = async (): Promise<Said> => bench.login(id, passwordOf(bench, id), bench.statements.ask(id));
      assertRefused(bench, await ask(), "a login after it");
      await withSites(bench, [id], async () => {
        const { ok, text } = await ask();
        assert.ok(!ok || text.trim() === "", "made again, it has the old contents");
      });
    },
  },
  {
    name: "any password arrives as it is, or is refused",
    async run(bench) {
      const id = bench.newId();
      let taken = 0;
      await withSites(bench, [id], async () => {
        await keep(bench, id);
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
          const { ok, text } = await bench.login(id, value, bench.statements.ask(id));
          assert.ok(ok, `${JSON.stringify(value)} (seed ${SEED}): ${text}`);
        }
      });
      assert.ok(taken > 10, `only ${taken} passwords were taken`);
    },
  },
  {
    name: "a name that could mean something else is refused, and nothing is changed",
    async run(bench) {
      const before = await bench.snapshot();
      for (const value of hostileNames()) {
        const declared = async (): Promise<ReturnType<AnyAccountBench["sample"]>> =>
          Promise.resolve(bench.sample(value));
        const made = await orRefused(value, async () => working(bench, async (work) => work.ensure(await declared())));
        if (made === "refused") continue;
        await working(bench, async (work) => work.remove(await declared()));
        const plain = /^[A-Za-z][A-Za-z0-9_]{0,31}$/.test(value);
        assert.ok(plain, `${JSON.stringify(value)} (seed ${SEED}) was taken as a name`);
      }
      assert.equal(await bench.snapshot(), before);
    },
  },
  {
    name: "the binding leads to the site's own account with a reference for its password",
    async run(bench) {
      const { role } = bench;
      const request = bench.request("s1");
      for (const from of [null, bench.webHead.address]) {
        const binding = role.binding(request, bench.view, from) as Pick<
          Binding,
          "protocol" | "password" | "host" | "socket"
        >;
        assert.equal(binding.protocol, role.protocol);
        assert.deepEqual(binding.password, request.password);
        if (from !== null) assert.deepEqual([binding.host, binding.socket], [bench.host.address, null]);
      }
      return Promise.resolve();
    },
  },
  {
    name: "a stopped server is told as such, may be tried again, and works when it is started",
    async run(bench) {
      const id = bench.newId();
      await withSites(bench, [id], async () => {
        await sh(bench.host, bench.subject.stop);
        const other = bench.sample(bench.newId());
        const make = async (): Promise<unknown> => working(bench, async (work) => work.ensure(other));
        let error: unknown;
        try {
          error = await rejection("a stopped server", make);
        } finally {
          await sh(bench.host, bench.subject.start);
        }
        assert.ok(isHostwrightError(error) && error.code === "HW_DATABASE_UNREACHABLE", String(error));
        assert.ok(error.retryable);
        await working(bench, async (work) => {
          assert.ok((await work.compare(bench.sample(id))).every(({ satisfied }) => satisfied));
          await work.ensure(other);
          await work.remove(other);
        });
      });
    },
  },
];
