import type {
  PathPattern,
  PlatformDefinition,
  SiteSeed,
  SiteView,
  SourceReader,
  WebRules,
} from "@hostwright/core/plugin";
import { canonicalJson } from "@hostwright/core/testing";
import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { assertNoSecret } from "../hosts/secret-watch.ts";

/** A platform's role, and what it is asked about. No host is. */
export interface RoleBench {
  readonly definition: PlatformDefinition;
  /** Of the codebase. */
  readonly version: RegExp;
  source(): Promise<SourceReader>;
  seedOf(id: string): SiteSeed;
  viewOf(id: string): SiteView;
  /** All that the platform declares, rendered from frozen views. */
  render(): unknown;
}

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

/** What every platform's role promises, with an application or without one. */
export const roleChecks: readonly Check<RoleBench>[] = [
  {
    name: "its codebase is known with its version, and nothing is not",
    async run(bench) {
      const { role } = bench.definition;
      assert.match((await role.detect(await bench.source()))?.version ?? "none", bench.version);
      const nothing = { exists: async () => Promise.resolve(false), text: async () => Promise.resolve(null) };
      assert.equal(await role.detect(nothing), null);
    },
  },
  {
    name: "another folder is not taken for its codebase, whatever files it has",
    needs: "signature",
    async run(bench) {
      const junk = { exists: async () => Promise.resolve(true), text: async () => Promise.resolve("<html>junk") };
      assert.equal(await bench.definition.role.detect(junk), null);
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
      assert.equal(canonicalJson(bench.render()), canonicalJson(bench.render()));
      return Promise.resolve();
    },
  },
  {
    name: "secrets stand in its settings as references only",
    async run(bench) {
      for (const { path, content } of bench.definition.role.settings(bench.viewOf("s1")))
        assertNoSecret(path, JSON.stringify(content));
      return Promise.resolve();
    },
  },
];
