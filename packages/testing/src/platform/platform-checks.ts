import { isHostwrightError, resolveText } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import { hostileTexts, orRefused, SEED } from "../hostile.ts";
import { TITLE, type Called, type PlatformBench } from "./platform-bench.ts";
import { roleChecks } from "./role-checks.ts";
import type { SiteAnswer } from "../runtime/site-answer.ts";
import { assertNoSecret, secretsSeenDuring } from "../hosts/secret-watch.ts";

function assertDone({ code, answer, result }: Called): void {
  assert.ok(code === 0 && !("error" in answer), `exit code ${code}: ${result.stdout}${result.stderr}`);
}

function assertRefused({ code, answer }: Called): void {
  assert.notEqual(code, 0);
  assert.ok(typeof answer["error"] === "string" && answer["error"].length > 5, "it does not say why");
}

/** Follows a URL of the site to the script that a web server would run for it. */
async function follow({ site }: PlatformBench, url: string): Promise<SiteAnswer> {
  const { hostname, pathname, search } = new URL(url);
  assert.equal(hostname, site.view.domain, "it leads to another name");
  const script = pathname.endsWith(".php") ? { script: pathname } : {};
  return site.ask(`${pathname}${search}`, script);
}

const cookies = ({ headers }: SiteAnswer): number => headers.match(/^Set-Cookie: /gim)?.length ?? 0;

const installed = async (bench: PlatformBench): Promise<boolean> =>
  (await bench.call(bench.application.status(bench.site.view))).answer["installed"] === true;

async function install(bench: PlatformBench): Promise<void> {
  if (!(await installed(bench))) assertDone(await bench.call(bench.application.install(bench.site.view)));
}

interface Source {
  readonly what: string;
  readonly source: string;
}

/** One command for all: each costs more than PHP does. */
const LINT = `while read -r number source; do
  printf %s "$source" | base64 -d > /run/judged.php
  said=$("$0" -d display_errors=stderr -l /run/judged.php 2>&1) || { printf '%s %s' "$number" "$said"; exit 1; }
done`;

async function lint(bench: PlatformBench, sources: readonly Source[]): Promise<void> {
  const input = sources.map(({ source }, at) => `${at} ${Buffer.from(source).toString("base64")}\n`).join("");
  const { code, stdout, stderr } = await bench.host.exec(["sh", "-c", LINT, phpOf(bench)], { input });
  assert.equal(code, 0, `${sources[Number.parseInt(stdout, 10)]?.what}: ${stdout}${stderr}`);
}

const phpOf = (bench: PlatformBench): string =>
  bench.php.role.interpreter(bench.site.view, bench.phpView)[0] ?? "/usr/bin/php";

/** What every platform promises that has an application. */
export const platformChecks: readonly Check<PlatformBench>[] = [
  ...roleChecks,
  {
    name: "a database that it cannot use is refused by name",
    async run(bench) {
      const { role } = bench.definition;
      const view = bench.viewOf("s1");
      const { db } = view.bindings;
      for (const bindings of [{}, { db: { ...(db ?? assert.fail()), protocol: "no-such-protocol" } }]) {
        // A platform of one protocol need not look at it: core does.
        if (bindings.db !== undefined && role.needs?.["db"]?.protocols?.length === 1) continue;
        assert.throws(
          () => role.settings({ ...view, bindings }),
          (error) => isHostwrightError(error) && error.code === "HW_SERVICE_UNFIT",
        );
      }
      return Promise.resolve();
    },
  },
  {
    name: "settings with hostile titles, names and secrets are good PHP that holds them as they are, or are refused",
    async run(bench) {
      const taken: Source[] = [];
      for (const value of hostileTexts(8)) {
        const files = await orRefused(value, () => bench.settingsWith(value));
        if (files === "refused") continue;
        for (const { path, content } of files) {
          const source = await orRefused(value, () => resolveText(content, () => value));
          if (source === "refused") continue;
          taken.push({ what: `${path} with ${JSON.stringify(value)} (seed ${SEED})`, source });
        }
      }
      assert.ok(taken.length > 10, `only ${taken.length} files were rendered`);
      await lint(bench, taken);
    },
  },
  {
    name: "secrets stand in its driver's calls as references only",
    async run(bench) {
      const { install: installer, loginLink } = bench.application;
      assertNoSecret("a call", JSON.stringify([installer(bench.viewOf("s1")), loginLink(bench.viewOf("s1"))]));
      return Promise.resolve();
    },
  },
  {
    name: "its driver is good PHP, and refuses what it does not know with one line of JSON",
    async run(bench) {
      await lint(bench, [{ what: "the driver", source: bench.application.driver.source }]);
      assertRefused(await bench.call({ command: "no-such-command", input: {}, timeoutMs: 60_000 }));
    },
  },
  {
    name: "says that it is not installed before it is, with its version",
    async run(bench) {
      if (await installed(bench)) return;
      const said = await bench.call(bench.application.status(bench.site.view));
      assertDone(said);
      assert.equal(said.answer["installed"], false);
      assert.match(String(said.answer["version"]), bench.subject.version);
    },
  },
  {
    name: "is installed with a hostile title and password, which no process shows and no output holds",
    async run(bench) {
      const seen = await secretsSeenDuring(bench.host, async () => {
        const done = await bench.call(bench.application.install(bench.site.view));
        assertDone(done);
        assertNoSecret("the installer's output", done.result.stdout, done.result.stderr);
      });
      assertNoSecret("a process", seen);
      assert.ok(await installed(bench));
    },
  },
  {
    name: "is installed once: the second time is refused with the reason",
    async run(bench) {
      await install(bench);
      assertRefused(await bench.call(bench.application.install(bench.site.view)));
      assert.ok(await installed(bench));
    },
  },
  {
    name: "seeding again leaves what is there as it is",
    needs: "seed",
    async run(bench) {
      const seed = bench.application.seed(bench.site.view);
      assert.ok(seed !== null, "it has no seed: declare it as lacking");
      const list = `cd ${bench.site.view.paths.home} && find public private -printf '%p %u %m %s %T@\\n' | sort`;
      const before = await sh(bench.host, list);
      assertDone(await bench.call(seed));
      assert.equal(await sh(bench.host, list), before);
    },
  },
  {
    name: "answers with its title, and leaves nothing that others could read",
    async run(bench) {
      await install(bench);
      const front = await bench.site.ask("/");
      const page =
        front.status >= 300 && front.status < 400
          ? await follow(bench, /^Location: (.*)\r/im.exec(front.headers)?.[1] ?? "")
          : front;
      assert.equal(page.status, 200, page.body.slice(0, 300));
      const text = page.body.replaceAll(/&#0?39;|&#x27;|&#8217;/g, "'").replaceAll(/&quot;|&#8220;|&#8221;/g, '"');
      assert.ok(text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").includes(TITLE), "the title is not on the page");
      assert.ok(!page.body.includes("<b>x</b>"), "the title is markup");
      const open = `find ${bench.site.view.paths.home} -perm /o=rwx ! -name .htaccess ! -type l`;
      assert.equal(await sh(bench.host, open), "");
    },
  },
  {
    name: "a login link is of the site's own name, and logs in once",
    needs: "loginLink",
    async run(bench) {
      await install(bench);
      const said = await bench.call(bench.application.loginLink(bench.site.view));
      assertDone(said);
      const url = String(said.answer["loginLink"]);
      const [first, second] = [await follow(bench, url), await follow(bench, url)];
      assert.ok(
        first.status >= 300 && first.status < 400 && cookies(first) > 0,
        `${first.status} ${first.body.slice(0, 200)}`,
      );
      const where = ({ status, headers }: SiteAnswer): string =>
        `${status} ${/^Location: (.*)\r/im.exec(headers)?.[1] ?? ""}`;
      assert.notEqual(where(second), where(first), "it can be used twice");
      const forged = url.replaceAll(/[0-9a-f]{16,}/gi, (text) => "0".repeat(text.length));
      if (forged !== url) assert.notEqual(where(await follow(bench, forged)), where(first), "a forged one is taken");
    },
  },
  {
    name: "a database that is away is an error in one line, without a secret, and not a success",
    async run(bench) {
      await bench.withoutDatabase(async () => {
        const said = await bench.call(bench.application.status(bench.site.view));
        assertRefused(said);
        assertNoSecret("its output", said.result.stdout, said.result.stderr);
      });
    },
  },
];
