import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import { working } from "../resources/resource-bench.ts";
import type { RuntimeProgram } from "./language.ts";
import type { PlacedSite } from "./placed-site.ts";
import { PROBE, type RuntimeBench } from "./runtime-bench.ts";

/** Of sites that come and go. */
const UID = 20_303;
const AT_MOST_MS = 30_000;

function programOf({ definition, language }: RuntimeBench): RuntimeProgram {
  const message = `${definition.type} speaks HTTP: the subject's language has to name a program`;
  return language.program ?? assert.fail(message);
}

/** The unit that a site's program runs in. */
function unitOf(bench: RuntimeBench, site: PlacedSite): string {
  const names = bench.declared(site).map(({ spec }) => String((spec as { readonly name?: string }).name));
  return names.find((name) => name.endsWith(".service")) ?? assert.fail("it declares no unit of a service");
}

/** A site of which there are user and folders, and nothing that runs; all of it is taken away in the end. */
async function passing(bench: RuntimeBench, use: (site: PlacedSite) => Promise<void>): Promise<void> {
  const site = bench.placed(bench.newId(), UID);
  await bench.place(site);
  try {
    await use(site);
  } finally {
    await working(bench, async (work) => void (await work.remove(bench.declared(site))));
    const { user, paths } = site.view;
    await sh(bench.host, `pkill -KILL -u ${user} || true; userdel ${user}; groupdel ${user}; rm -rf ${paths.home}`);
  }
}

async function answers(bench: RuntimeBench, site: PlacedSite): Promise<boolean> {
  return bench.inside(site, bench.language.ids).then(
    () => true,
    () => false,
  );
}

/** Without the site's slice, which is empty then, and which systemd forgets at its next start. */
const ofRuntime = (snapshot: string): string => snapshot.replaceAll(/^\S+\.slice .*\n/gm, "");

async function soon(what: string, holds: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + AT_MOST_MS;
  while (!(await holds())) {
    assert.ok(Date.now() < until, `${what}: not in ${AT_MOST_MS} ms`);
    await sleep(200);
  }
}

/** What a runtime promises that keeps a program running and speaks HTTP. */
export const programChecks: readonly Check<RuntimeBench>[] = [
  {
    name: "a site answers as soon as its units stand, whatever port its program names, and nothing listens at that",
    async run(bench) {
      await passing(bench, async (site) => {
        await bench.ensure(bench.declared(site));
        assert.deepEqual(await bench.inside(site, bench.language.ids), [UID, UID]);
        const { port } = programOf(bench);
        assert.equal(await sh(bench.host, `ss -Hlnt 'sport = :${port}'`), "");
      });
    },
  },
  {
    name: "a program that ends, by itself or by a signal, is there for the next request",
    async run(bench) {
      for (const end of programOf(bench).ends) {
        const before = await bench.inside(bench.one, bench.language.pid);
        const { status } = await bench.one.ask("/", { body: end }).catch(() => ({ status: 0 }));
        assert.notEqual(status, 200, `${end}: it goes on`);
        assert.notEqual(await bench.inside(bench.one, bench.language.pid), before, end);
      }
    },
  },
  {
    name: "a program that cannot start does not spin, and answers as soon as it can",
    async run(bench) {
      await passing(bench, async (site) => {
        const main = `${PROBE}/${programOf(bench).main}`;
        const unit = unitOf(bench, site);
        const count = `journalctl --no-pager -o cat -u ${unit} | grep -c '^Started' || true`;
        await sh(bench.host, `mv ${main} ${main}.away`);
        try {
          await bench.ensure(bench.declared(site));
          const asked = site.ask("/", { body: bench.language.ids }).catch(() => null);
          await sleep(7000);
          const starts = Number(await sh(bench.host, count));
          assert.ok(starts > 0 && starts < 8, `it was started ${starts} times in 7 s`);
          await sh(bench.host, `mv ${main}.away ${main}`);
          await asked;
          await soon("it answers", async () => answers(bench, site));
        } finally {
          await sh(bench.host, `[ ! -e ${main}.away ] || mv ${main}.away ${main}`);
        }
      });
    },
  },
  {
    name: "no request is lost while its unit is restarted",
    needs: "heldRequests",
    async run(bench) {
      const [over, codes] = ["/run/tested-over", "/run/tested-codes"];
      const socket = bench.definition.role.socket("one");
      const ask = `curl -s -m 30 -o /dev/null -w '%{http_code}\\n' --unix-socket ${socket} --data-binary @- http://one.test/`;
      const visitor = `( until [ -e ${over} ]; do printf %s "$1" | ${ask}; sleep 0.02; done ) >> ${codes} &`;
      const restarts = `for i in 1 2 3; do sleep 1; systemctl restart ${unitOf(bench, bench.one)}; done; sleep 1`;
      const script = `rm -f ${over} ${codes}; ${visitor} ${visitor} ${restarts}; touch ${over}; wait; cat ${codes}; rm ${over} ${codes}`;
      const { stdout } = await bench.host.exec(["sh", "-c", script, "sh", programOf(bench).waits(200)]);
      const told = stdout.trim().split("\n");
      assert.ok(told.length > 5, `only ${told.length} requests were made`);
      assert.deepEqual(
        told.filter((code) => code !== "200"),
        [],
      );
    },
  },
  {
    name: "what a program prints is in the journal of its site's unit, and in no other's",
    async run(bench) {
      const text = `printed by ${bench.newId()}`;
      await bench.inside(bench.one, programOf(bench).logs(text));
      const printed = async (site: PlacedSite): Promise<boolean> =>
        (await sh(bench.host, `journalctl --no-pager -u ${unitOf(bench, site)}`)).includes(text);
      await soon("it is there", async () => printed(bench.one));
      assert.equal(await printed(bench.two), false);
    },
  },
  {
    name: "taken away while its program runs, a site leaves no process, socket, unit or file",
    async run(bench) {
      await passing(bench, async (site) => {
        const before = await bench.snapshot();
        await bench.ensure(bench.declared(site));
        await bench.inside(site, bench.language.ids);
        const { id, user } = site.view;
        assert.notEqual((await bench.host.exec(["pgrep", "-u", user])).stdout, "", "it does not run");
        await working(bench, async (work) => void (await work.remove(bench.declared(site))));
        const looked = `pgrep -lu ${user}; ls -d ${bench.definition.role.socket(id)} 2>/dev/null`;
        assert.equal((await bench.host.exec(["sh", "-c", looked])).stdout, "");
        assert.equal(ofRuntime(await bench.snapshot()), ofRuntime(before));
      });
    },
  },
];
