import { isHostwrightError, resolveText, type PathPattern, type WebRules } from "@hostwright/core/plugin";
import { canonicalJson } from "@hostwright/core/testing";
import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import { hostileTexts, orRefused, SEED } from "../hostile.ts";
import { TITLE, type Called, type PlatformBench } from "./platform-bench.ts";
import type { PhpAnswer } from "../php/fastcgi.ts";
import { freeze } from "../subject.ts";
import { assertNoSecret, secretsSeenDuring } from "../hosts/secret-watch.ts";

function patternsOf({ scripts, denied, cache }: WebRules): readonly PathPattern[] {
  const { virtual = [], entryPoints = [], generated = [] } = scripts ?? {};
  return [...virtual, ...entryPoints, ...denied, ...cache.map(({ match }) => match), ...generated];
}

function assertPath(path: string, what: string): void {
  assert.ok(path.startsWith("/"), `${what}: ${path} does not begin with /`);
  assert.ok(!path.split("/").includes(".."), `${what}: ${path} climbs`);
}

function assertRelative(path: string, what: string): void {
  assert.ok(!path.startsWith("/") && path !== "" && !path.split("/").includes(".."), `${what}: "${path}"`);
}

function assertDone({ code, answer, result }: Called): void {
  assert.ok(code === 0 && !("error" in answer), `exit code ${code}: ${result.stdout}${result.stderr}`);
}

function assertRefused({ code, answer }: Called): void {
  assert.notEqual(code, 0);
  assert.ok(typeof answer["error"] === "string" && answer["error"].length > 5, "it does not say why");
}

/** Follows a URL of the site to the script that a web server would run for it. */
async function follow({ site }: PlatformBench, url: string): Promise<PhpAnswer> {
  const { hostname, pathname, search } = new URL(url);
  assert.equal(hostname, site.view.domain, "it leads to another name");
  const script = pathname.endsWith(".php") ? { script: pathname } : {};
  return site.ask(`${pathname}${search}`, script);
}

const cookies = ({ headers }: PhpAnswer): number => headers.match(/^Set-Cookie: /gim)?.length ?? 0;

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

/** What every platform promises. */
export const platformChecks: readonly Check<PlatformBench>[] = [
  {
    name: "its codebase is known with its version, and nothing else is",
    async run(bench) {
      const { role } = bench.definition;
      assert.match((await role.detect(await bench.source()))?.version ?? "none", bench.subject.version);
      const nothing = { exists: async () => Promise.resolve(false), text: async () => Promise.resolve(null) };
      assert.equal(await role.detect(nothing), null);
      const junk = { exists: async () => Promise.resolve(true), text: async () => Promise.resolve("<html>junk") };
      assert.equal(await role.detect(junk), null, "any folder is taken for its codebase");
    },
  },
  {
    name: "its paths stay in the release and in the site",
    async run(bench) {
      const { role } = bench.definition;
      const seed = bench.seedOf("s1");
      const { layout } = role;
      assertRelative(layout.docroot, "docroot");
      assertRelative(layout.sourceAt, "sourceAt");
      for (const { path } of layout.mountPoints) assertRelative(path, "a mount point");
      for (const { path } of role.ownFolders(seed)) assertRelative(path, "an own folder");
      for (const path of role.confFolders(seed)) assertRelative(path, "a folder of conf");
      for (const { source, at, writable } of role.binds(seed)) {
        assert.ok(source.startsWith(`${seed.paths.home}/`), `${source} is bound, which is not the site's`);
        assert.ok(at.startsWith(`${seed.platform.root}/`), `${at} is bound to, which is not in the release`);
        const relative = at.slice(seed.platform.root.length + 1);
        assert.ok(
          layout.mountPoints.some(({ path }) => path === relative),
          `${relative} is no mount point`,
        );
        assert.ok(!writable || !source.startsWith(seed.paths.conf), `${source} may be written, and holds settings`);
      }
      return Promise.resolve();
    },
  },
  {
    name: "its web rules name paths that begin with /, and settings are denied or outside of the URLs",
    async run(bench) {
      const rules = bench.definition.role.webRules(bench.seedOf("s1"));
      if (rules.scripts !== null) assertPath(rules.scripts.frontController, "the front controller");
      for (const pattern of patternsOf(rules)) {
        if ("exact" in pattern) assertPath(pattern.exact, "exact");
        else if ("prefix" in pattern) assert.match(pattern.prefix, /^\/.*\/$/);
        else if ("segment" in pattern) assert.ok(!pattern.segment.includes("/"), pattern.segment);
        else if (pattern.under !== undefined) assert.match(pattern.under, /^\/.*\/$/);
      }
      for (const { prefix } of rules.ownPaths) assert.match(prefix, /^\/.+\/$/);
      for (const folder of rules.scripts?.indexes ?? []) assert.match(folder, /^\/.+\/$/);
      const own = bench.definition.role.ownFolders(bench.seedOf("s1")).map(({ path }) => `/${path}/`);
      for (const { prefix } of rules.ownPaths)
        assert.ok(
          own.some((folder) => prefix.startsWith(folder)),
          `${prefix} is in no own folder`,
        );
      for (const { maxAgeSeconds } of rules.cache) assert.ok(Number.isInteger(maxAgeSeconds) && maxAgeSeconds >= 0);
      return Promise.resolve();
    },
  },
  {
    name: "the same view renders the same text, and is not changed by it",
    async run(bench) {
      const { application, definition } = bench;
      const { role } = definition;
      const view = freeze(bench.viewOf("s1"));
      const render = (): string =>
        canonicalJson([
          role.settings(view),
          role.binds(view),
          role.webRules(view),
          application.install(view),
          application.status(view),
        ]);
      assert.equal(render(), render());
      return Promise.resolve();
    },
  },
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
    name: "secrets stand in its settings as references only",
    async run(bench) {
      for (const { path, content } of bench.definition.role.settings(bench.viewOf("s1")))
        assertNoSecret(path, JSON.stringify(content));
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
      const where = ({ status, headers }: PhpAnswer): string =>
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
