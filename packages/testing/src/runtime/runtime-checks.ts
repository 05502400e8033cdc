import type { RuntimeView } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import { hostileTexts, orRefused, SEED } from "../hostile.ts";
import { phpLiteral } from "./php.ts";
import { programChecks } from "./program-checks.ts";
import { PROBE, type RuntimeBench } from "./runtime-bench.ts";
import { working } from "../resources/resource-bench.ts";
import { resourceChecks } from "../resources/resource-checks.ts";
import { serviceChecks } from "../service-checks.ts";

type Ask = (expression: string) => Promise<unknown>;

/** A promise that holds for a site's pages and for its commands alike. */
function both(name: string, run: (bench: RuntimeBench, ask: Ask) => Promise<void>): readonly Check<RuntimeBench>[] {
  return [
    { name: `${name}: a page`, run: async (bench) => run(bench, async (it) => bench.inside(bench.one, it)) },
    { name: `${name}: a command`, run: async (bench) => run(bench, async (it) => bench.inCommand(bench.one, it)) },
  ];
}

const UID = 20_301;

/** Several expressions as one. */
const all = (...expressions: readonly string[]): string => `[${expressions.join(", ")}]`;

/** What every runtime promises. */
const commonChecks: readonly Check<RuntimeBench>[] = [
  ...serviceChecks,
  ...both("runs as the site's own user", async ({ language }, ask) => {
    assert.deepEqual(await ask(language.ids), [UID, UID]);
  }),
  ...both("sees its own tree and its own release, and no folder or file of its neighbours", async (bench, ask) => {
    const { language } = bench;
    assert.deepEqual(await bench.inside(bench.two, language.writes(["/tmp/of-two"])), [true]);
    const lists = await ask(language.lists(["/srv/sites", "/srv/platforms", "/tmp", "/dev/shm"]));
    assert.deepEqual(lists, [["one"], ["probe"], [], []]);
    const paths = [
      "/srv/sites/two/private/secret",
      "/srv/sites/two/conf/settings.php",
      bench.definition.role.socket("two"),
    ];
    assert.deepEqual(await ask(language.exist(paths)), [false, false, false]);
    const hidden = ["/etc/systemd/system", "/sys/fs/cgroup", "/home", "/root"];
    assert.deepEqual(
      await ask(language.lists(hidden)),
      hidden.map(() => false),
    );
  }),
  ...both("sees and ends no process of its neighbours", async (bench, ask) => {
    const { language } = bench;
    const pid = Number(await bench.inside(bench.two, language.pid));
    assert.ok(pid > 1);
    assert.deepEqual(await ask(language.owners), [UID]);
    assert.deepEqual(await ask(all(language.exist([`/proc/${pid}`]), language.signals(pid))), [[false], false]);
  }),
  ...both("writes in its own folders only, and reads its settings", async ({ language }, ask) => {
    const home = "/srv/sites/one";
    const open = [`${home}/private/x`, `${home}/tmp/x`, `${PROBE}/web/own/x`];
    const closed = [
      `${home}/conf/x`,
      `${home}/x`,
      `${PROBE}/web/x`,
      "/etc/x",
      "/usr/local/x",
      "/var/x",
      "/run/x",
      "/srv/x",
    ];
    const tried = await ask(language.writes([...open, ...closed]));
    assert.deepEqual(tried, [...open.map(() => true), ...closed.map(() => false)]);
    assert.equal(await ask(language.readable(`${home}/conf/settings.php`)), true);
  }),
  ...both("listens on nothing that others could reach", async ({ language }, ask) => {
    const places = ["tcp://127.0.0.1:18099", "tcp://[::1]:18099", "tcp://0.0.0.0:18098", "unix:///tmp/own.sock"];
    assert.deepEqual(
      await ask(language.listens(places)),
      places.map(() => false),
    );
  }),
  ...both("gets no further rights by a program that gives them", async ({ language }, ask) => {
    const status = String(await ask(language.reads("/proc/self/status")));
    const found = [...status.matchAll(/^(?:NoNewPrivs|CapBnd|CapEff):\s*(\w+)/gm)].map(([, value]) => value);
    const none = "0".repeat(16);
    assert.deepEqual(found, [none, none, "1"]);
  }),
  {
    name: "what is bound into its release is there, writable where it may be",
    async run(bench) {
      await sh(bench.host, "echo bound > /srv/sites/one/public/own/from-site");
      assert.equal(await bench.inside(bench.one, bench.language.reads(`${PROBE}/web/own/from-site`)), "bound\n");
      assert.equal(await sh(bench.host, `ls ${PROBE}/web/own`), "", "it was written into the release");
    },
  },
  {
    name: "the memory of all its processes is bounded by the kernel, for pages and commands",
    async run(bench) {
      const property = (name: string): string | undefined =>
        bench.definition.role.sandbox(bench.one.view, bench.view).findLast((one) => one[0] === name)?.[1];
      for (const name of ["MemoryMax", "TasksMax"]) assert.match(property(name) ?? "", /^\d+[KMG]?$/, name);
      const bytes = 300 * 1024 * 1024;
      const answer = await bench.one.ask("/", { body: bench.language.takes(bytes) }).catch(() => null);
      assert.notEqual(answer?.body, String(bytes), "a page took more than its limit");
      assert.deepEqual(await bench.inside(bench.one, bench.language.ids), [UID, UID], "the site did not survive it");
    },
  },
  {
    name: "the socket takes requests of the web server's user, and of no other site's",
    async run(bench) {
      const socket = bench.definition.role.socket("two");
      assert.equal(await bench.inside(bench.one, bench.language.connects(socket)), false);
      const mode = await sh(bench.host, `stat -c '%U %a' ${socket}`);
      assert.match(mode, /^www-data [0-7]00\n$|^www-data [0-7][0-7]0\n$/);
    },
  },
  {
    name: "a disabled site's code does not run, and its socket is closed",
    async run(bench) {
      const { ids } = bench.language;
      await bench.inside(bench.two, ids);
      const closed = bench.site("two", { uid: 20_302, enabled: false });
      await bench.ensure(bench.definition.role.site(closed, bench.view));
      const error = await bench.two.ask("/", { body: ids }).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      const processes = (await bench.host.exec(["pgrep", "-u", "two"])).stdout;
      await bench.ensure(bench.declared(bench.two));
      assert.notEqual(error, null, "it answers still");
      assert.equal(processes, "");
      assert.deepEqual(await bench.inside(bench.two, ids), [20_302, 20_302]);
    },
  },
  ...resourceChecks,
  {
    name: "a path with any sign is rendered so that systemd takes it without a word, or refused",
    async run(bench) {
      const texts = ["%b", "a,b", "a=b", "a~b", "a+b", "a@b", ...hostileTexts(10)];
      let taken = 0;
      for (const text of texts) {
        const view = bench.site("odd", { binds: [] }, `/srv/platforms/a${text}`);
        const declared = await orRefused(text, () => bench.definition.role.site(view, bench.view));
        if (declared === "refused") continue;
        taken += 1;
        const units = declared
          .filter(({ type }) => type === "unit")
          .map(({ spec }) => (spec as { readonly name: string }).name);
        await working(bench, async (work) => {
          await work.ensure(declared);
          const { code, stdout, stderr } = await bench.host.exec(["systemd-analyze", "verify", "--man=no", ...units]);
          await work.remove(declared);
          assert.deepEqual([code, stdout + stderr], [0, ""], `${JSON.stringify(view.platform.root)} (seed ${SEED})`);
        });
      }
      assert.ok(taken > 3 && taken < texts.length, `${taken} of ${texts.length} paths were taken`);
    },
  },
];

/** What is PHP's own: core gives it limits that the language itself knows. */
const phpChecks: readonly Check<RuntimeBench>[] = both("has the site's limits in its settings", async (_bench, ask) => {
  const ini = ["memory_limit", "upload_max_filesize", "sys_temp_dir", "session.save_path"];
  const values = await ask(`array_map('ini_get', ${phpLiteral(ini)})`);
  assert.deepEqual(values, ["192M", "16M", "/srv/sites/one/tmp", "/srv/sites/one/tmp"]);
});

/** What a runtime promises, by its kind and by the protocol in which it answers. */
export function runtimeChecks({
  kind,
  protocol,
}: Pick<RuntimeView, "kind" | "protocol">): readonly Check<RuntimeBench>[] {
  return [...commonChecks, ...(kind === "php" ? phpChecks : []), ...(protocol === "http" ? programChecks : [])];
}
