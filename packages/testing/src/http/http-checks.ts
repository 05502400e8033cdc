import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import { controlChecks } from "./http-controls.ts";
import { programChecks } from "./http-program-checks.ts";
import { publicationChecks } from "./http-publications.ts";
import type { HttpBench } from "./http-bench.ts";
import { entriesOf, failed, GOOD, siteLike, withEntries, withFile } from "./http-entries.ts";
import { hostileChecks } from "./http-hostile-checks.ts";
import { wordpressRules } from "./http-samples.ts";
import { ownRulesChecks } from "./http-own-rules.ts";
import { rewrittenChecks } from "./http-rewritten.ts";
import { httpTable } from "./http-table.ts";
import { serviceChecks } from "../service-checks.ts";
import { WatchedServer } from "../hosts/watched-server.ts";

/** What every http service promises. */
export const httpChecks: readonly Check<HttpBench>[] = [
  ...serviceChecks,
  {
    name: "its server's resources stand, and a second apply is empty",
    async run(bench) {
      const left = await bench.withTarget(async (work) => work.ensure(bench.definition.role.server(bench.view)));
      assert.deepEqual(left, []);
    },
  },
  ...httpTable,
  ...controlChecks,
  ...publicationChecks,
  ...ownRulesChecks,
  ...rewrittenChecks,
  ...programChecks,
  {
    name: "its own configuration passes the server's test without a warning",
    async run(bench) {
      const { code, said } = await bench.configTest();
      assert.equal(code, 0, said);
      assert.doesNotMatch(said, /warn|emerg|error/i);
    },
  },
  {
    name: "the status answers the generation in force, on the loopback only",
    async run(bench) {
      const { generation } = await bench.publish({ force: true });
      assert.equal(await bench.generation(), generation);
      const { status } = bench.definition.role.publication;
      if ("command" in status) return;
      const url = `http://${bench.host.address}:${status.port}${status.path}`;
      const { code, stdout } = await bench.host.exec(["curl", "-sS", "-m", "5", "--noproxy", "*", url]);
      assert.ok(code !== 0 || Number(stdout) !== generation, "it answers on the server's address");
    },
  },
  {
    name: "the status entry differs by its number only",
    async run({ definition }) {
      const { statusEntry } = definition.role.publication;
      const [one, two] = [statusEntry(7_654_321), statusEntry(1_234_567)];
      assert.equal(one.name, two.name);
      assert.notEqual(one.content, two.content);
      assert.equal(one.content.replaceAll("7654321", "N"), two.content.replaceAll("1234567", "N"));
    },
  },
  {
    name: "a second publication changes nothing and reloads nothing",
    async run(bench) {
      const before = await bench.generation();
      const { changed, generation } = await bench.publish();
      assert.deepEqual([changed, generation], [false, before]);
    },
  },
  {
    name: "a neighbour's broken entry is quarantined and named, and every other one is published",
    async run(bench) {
      const good = entriesOf(bench, siteLike("late"));
      await withEntries(bench, [{ name: "broken.conf", content: bench.subject.brokenEntry }, ...good], async () => {
        const { quarantined } = await bench.publish({ own: good.map(({ name }) => name) });
        assert.deepEqual(
          quarantined.map(({ name }) => name),
          ["broken.conf"],
        );
        assert.ok((quarantined[0]?.reason ?? "").length > 5, "no reason is told");
        await GOOD(bench, "late");
        await GOOD(bench);
      });
    },
  },
  {
    name: "an own broken entry is refused by name, and the generation before stays in force",
    async run(bench) {
      const before = await bench.generation();
      await withEntries(bench, [{ name: "broken.conf", content: bench.subject.brokenEntry }], async () => {
        const error = await failed(async () => bench.publish({ own: ["broken.conf"] }), "HW_HTTP_CONFIG_REFUSED");
        assert.deepEqual(error.data["entries"], ["broken.conf"]);
        assert.equal(await bench.generation(), before);
        await GOOD(bench);
      });
    },
  },
  {
    name: "somebody else's broken file is blamed, with its path",
    async run(bench) {
      const { broken } = bench.subject;
      await withFile(bench, broken, async () => {
        const { code, said } = await bench.configTest();
        assert.notEqual(code, 0, "the subject's broken file is none");
        assert.equal(bench.definition.role.publication.blame(said)?.file, broken.path, said);
        const late = entriesOf(bench, siteLike("later"));
        await bench.put(late);
        const error = await failed(async () => bench.publish(), "HW_HTTP_FOREIGN_CONFIG");
        assert.equal(error.data["file"], broken.path);
        await bench.take(...late.map(({ name }) => name));
        await GOOD(bench);
      });
      assert.equal(bench.definition.role.publication.blame((await bench.configTest()).said), null);
    },
  },
  {
    name: "names that somebody else serves are found with their file, and so are its own",
    async run(bench) {
      const { role } = bench.definition;
      const foreign = bench.subject.foreignSite("held.example.com", "*.held.example.org");
      const held = async (): Promise<ReturnType<typeof role.servedNames>> =>
        role.servedNames((await bench.host.exec(role.dump)).stdout);
      await withFile(bench, foreign, async () => {
        const found = await held();
        for (const name of ["held.example.com", "*.held.example.org"])
          assert.ok(
            found.some((one) => one.name === name && one.file === foreign.path),
            `${name} is not found`,
          );
      });
      const own = await held();
      assert.ok(!own.some(({ name }) => name.includes("held.example")), "a name that is gone is still held");
      const file = own.find(({ name }) => name === "wordpress.test")?.file ?? "";
      assert.ok(file.startsWith(`${role.publication.root}/`), `wordpress.test is held by "${file}"`);
    },
  },
  {
    name: "cut off before or behind a publication, the next one puts all in force",
    async run(bench) {
      for (const at of [0, 1]) {
        const entries = entriesOf(bench, siteLike(`cut${at}`));
        await withEntries(bench, entries, async () => {
          await failed(async () => bench.publish({}, new WatchedServer(bench.host.server, at)), "HW_SSH_LOST");
          await bench.publish();
          await GOOD(bench, `cut${at}`);
        });
      }
    },
  },
  {
    name: "two publications at once are both in force in the end",
    async run(bench) {
      const [one, two] = [entriesOf(bench, siteLike("first")), entriesOf(bench, siteLike("second"))];
      await withEntries(bench, [...one, ...two], async () => {
        await Promise.all([
          bench.publish({ own: one.map(({ name }) => name) }),
          bench.publish({ own: two.map(({ name }) => name) }),
        ]);
        await GOOD(bench, "first");
        await GOOD(bench, "second");
      });
    },
  },
  ...hostileChecks,
  {
    name: "the longest names, long lists and a thousand sites pass the test",
    async run(bench) {
      const long = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(57)}.test`;
      const denied = Array.from({ length: 600 }, (_, index) => ({ exact: `/some.long.path/number.${index}` }));
      const aliases = Array.from({ length: 500 }, (_, index) => `alias-${index}.big.test`);
      const big = siteLike("big", { rules: { ...wordpressRules, denied }, domain: long, aliases });
      const many = Array.from({ length: 1000 }, (_, index) => entriesOf(bench, siteLike(`n${index}`))).flat();
      const entries = [
        ...entriesOf(bench, big),
        { name: "many.conf", content: many.map((one) => one.content).join("\n") },
      ];
      await withEntries(bench, entries, async () => {
        const started = performance.now();
        await bench.publish();
        process.stdout.write(`  1,001 sites were published in ${Math.round(performance.now() - started)} ms\n`);
        await GOOD(bench, "n999");
        assert.equal((await bench.get(long, "/robots.txt")).body, "release\n");
      });
    },
  },
  {
    name: "a name that nobody serves is told nothing of any site",
    async run(bench) {
      await sh(bench.host, bench.subject.removeStockSite);
      const { status, body } = await bench.get("unknown.test", "/robots.txt");
      assert.deepEqual([status, body.includes("release")], [404, false]);
      assert.equal((await bench.get("10.0.0.1", "/.well-known/acme-challenge/token")).body, "challenge\n");
    },
  },
  {
    name: "an undo of all its server's resources leaves nothing",
    async run(bench) {
      await sh(bench.host, `rm -f ${bench.entries}/*`);
      const after = await bench.withTarget(async (work) => {
        await work.undo(bench.made);
        return bench.snapshot();
      });
      // Debian's stock site was removed by the test itself.
      const ours = (text: string): readonly string[] => text.split("\n").filter((line) => /hostwright/i.test(line));
      assert.deepEqual(ours(after), ours(bench.fresh));
    },
  },
];
