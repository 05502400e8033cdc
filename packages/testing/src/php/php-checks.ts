import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import { hostileTexts, orRefused, SEED } from "../hostile.ts";
import { PROBE, type PhpBench } from "./php-bench.ts";
import { phpLiteral } from "./placed-site.ts";
import { working } from "../resources/resource-bench.ts";
import { resourceChecks } from "../resources/resource-checks.ts";
import { serviceChecks } from "../service-checks.ts";

type Ask = (expression: string) => Promise<unknown>;

/** A promise that holds for a site's pages and for its commands alike. */
function both(name: string, run: (bench: PhpBench, ask: Ask) => Promise<void>): readonly Check<PhpBench>[] {
  return [
    { name: `${name}: a page`, run: async (bench) => run(bench, async (it) => bench.inside(bench.one, it)) },
    { name: `${name}: a command`, run: async (bench) => run(bench, async (it) => bench.inCommand(bench.one, it)) },
  ];
}

const UID = 20_301;

/** What every php service promises. */
export const phpChecks: readonly Check<PhpBench>[] = [
  ...serviceChecks,
  ...both("runs as the site's own user, with its limits", async (_bench, ask) => {
    const ini = ["memory_limit", "upload_max_filesize", "sys_temp_dir", "session.save_path"];
    const values = await ask(`[posix_getuid(), posix_getgid(), array_map('ini_get', ${phpLiteral(ini)})]`);
    assert.deepEqual(values, [UID, UID, ["192M", "16M", "/srv/sites/one/tmp", "/srv/sites/one/tmp"]]);
  }),
  ...both("sees its own tree and its own release, and no folder or file of its neighbours", async (bench, ask) => {
    assert.equal(await bench.inside(bench.two, "file_put_contents('/tmp/of-two', 'x')"), 1);
    const folders = ["/srv/sites", "/srv/platforms", "/tmp", "/dev/shm"];
    const lists = await ask(
      `array_map(fn($f) => array_values(array_diff(scandir($f), ['.', '..'])), ${phpLiteral(folders)})`,
    );
    assert.deepEqual(lists, [["one"], ["probe"], [], []]);
    const paths = [
      "/srv/sites/two/private/secret",
      "/srv/sites/two/conf/settings.php",
      bench.definition.role.socket("two"),
    ];
    assert.deepEqual(await ask(`array_map('file_exists', ${phpLiteral(paths)})`), [false, false, false]);
    const hidden = ["/etc/systemd/system", "/sys/fs/cgroup", "/home", "/root"];
    assert.deepEqual(
      await ask(`array_map(fn($f) => @scandir($f), ${phpLiteral(hidden)})`),
      hidden.map(() => false),
    );
  }),
  ...both("sees and ends no process of its neighbours", async (bench, ask) => {
    const pid = Number(await bench.inside(bench.two, "getmypid()"));
    assert.ok(pid > 1);
    assert.deepEqual(await ask("array_values(array_unique(array_map('fileowner', glob('/proc/[0-9]*'))))"), [UID]);
    assert.deepEqual(await ask(`[file_exists('/proc/${pid}'), posix_kill(${pid}, 0)]`), [false, false]);
  }),
  ...both("writes in its own folders only, and reads its settings", async (_bench, ask) => {
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
    const tried = await ask(
      `array_map(fn($f) => @file_put_contents($f, 'x') !== false, ${phpLiteral([...open, ...closed])})`,
    );
    assert.deepEqual(tried, [...open.map(() => true), ...closed.map(() => false)]);
    assert.equal(await ask(`is_readable('${home}/conf/settings.php')`), true);
  }),
  ...both("listens on nothing that others could reach", async (_bench, ask) => {
    const places = ["tcp://127.0.0.1:18099", "tcp://[::1]:18099", "tcp://0.0.0.0:18098"];
    const tried = await ask(`array_map(fn($a) => (bool) @stream_socket_server($a), ${phpLiteral(places)})`);
    assert.deepEqual(tried, [false, false, false]);
  }),
  ...both("gets no further rights by a program that gives them", async (_bench, ask) => {
    const status =
      "(preg_match_all('/^(?:NoNewPrivs|CapBnd|CapEff):\\s*(\\w+)/m', file_get_contents('/proc/self/status'), $m) ? $m[1] : [])";
    const none = "0".repeat(16);
    assert.deepEqual(await ask(status), [none, none, "1"]);
  }),
  {
    name: "what is bound into its release is there, writable where it may be",
    async run(bench) {
      await sh(bench.host, "echo bound > /srv/sites/one/public/own/from-site");
      assert.equal(await bench.inside(bench.one, `file_get_contents('${PROBE}/web/own/from-site')`), "bound\n");
      assert.equal(await sh(bench.host, `ls ${PROBE}/web/own`), "", "it was written into the release");
    },
  },
  {
    name: "the memory of all its processes is bounded by the kernel, for pages and commands",
    async run(bench) {
      const property = (name: string): string | undefined =>
        bench.definition.role.sandbox(bench.one.view, bench.view).findLast((one) => one[0] === name)?.[1];
      for (const name of ["MemoryMax", "TasksMax"]) assert.match(property(name) ?? "", /^\d+[KMG]?$/, name);
      const eaten = await bench.one.ask("/", { body: "strlen(str_repeat('x', 300 * 1024 * 1024))" });
      assert.notEqual(eaten.body, String(300 * 1024 * 1024), "a page took more than its limit");
      assert.equal(await bench.inside(bench.one, "1 + 1"), 2, "and the site did not survive it");
    },
  },
  {
    name: "the socket takes requests of the web server's user, and of no other site's",
    async run(bench) {
      const connect = `(bool) @stream_socket_client('unix://${bench.two.view.runtime?.socket}')`;
      assert.equal(await bench.inside(bench.one, connect), false);
      const mode = await sh(bench.host, `stat -c '%U %a' ${bench.two.view.runtime?.socket}`);
      assert.match(mode, /^www-data [0-7]00\n$|^www-data [0-7][0-7]0\n$/);
    },
  },
  {
    name: "a disabled site's PHP does not run, and its socket is closed",
    async run(bench) {
      await bench.inside(bench.two, "1");
      const closed = bench.site("two", { uid: 20_302, enabled: false });
      await bench.ensure(bench.definition.role.site(closed, bench.view));
      const error = await bench.two.ask("/", { body: "1" }).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      const processes = (await bench.host.exec(["pgrep", "-u", "two"])).stdout;
      await bench.ensure(bench.definition.role.site(bench.two.view, bench.view));
      assert.notEqual(error, null, "it answers still");
      assert.equal(processes, "");
      assert.equal(await bench.inside(bench.two, "1 + 1"), 2);
    },
  },
  ...resourceChecks,
  {
    name: "a path with any sign is rendered so that systemd takes it without a word, or refused",
    async run(bench) {
      const texts = ["%b", "a,b", "a=b", "a~b", "a+b", "a@b", ...hostileTexts(10)];
      let taken = 0;
      for (const text of texts) {
        const root = `/srv/platforms/a${text}`;
        const { platform } = bench.site("odd");
        const view = bench.site("odd", { platform: { ...platform, root, docroot: `${root}/web` }, binds: [] });
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
          assert.deepEqual([code, stdout + stderr], [0, ""], `${JSON.stringify(root)} (seed ${SEED})`);
        });
      }
      assert.ok(taken > 3 && taken < texts.length, `${taken} of ${texts.length} paths were taken`);
    },
  },
];
