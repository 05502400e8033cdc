import type { PlatformPlugin, PlatformRole } from "@hostwright/core/plugin";
import { wordpress } from "@hostwright/platform-wordpress";
import type { Mutant } from "./mutant.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- their options do not matter here
type AnyPlatform = PlatformPlugin<any, any>;

function broken(change: (role: PlatformRole) => Partial<PlatformRole>): AnyPlatform {
  const platforms = (wordpress.platforms ?? []).map((one) => {
    const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(one.role)) as PlatformRole;
    return { ...one, role: { ...copy, ...change(one.role) } };
  });
  return { ...wordpress, platforms };
}

const PATHS = "its paths stay in the release";
const RULES = "its web rules name paths";

/** Judged without a host. */
export const platformMutants: readonly Mutant<AnyPlatform>[] = [
  {
    name: "every folder is a codebase",
    caughtBy: "its codebase is known",
    plugin: broken(() => ({ detect: async () => Promise.resolve({ version: "6.8" }) })),
  },
  {
    name: "no folder is a codebase",
    caughtBy: "its codebase is known",
    plugin: broken(() => ({ detect: async () => Promise.resolve(null) })),
  },
  {
    name: "a bind of another site's folder",
    caughtBy: PATHS,
    plugin: broken((role) => ({
      binds: (site) => role.binds(site).map((bind) => ({ ...bind, source: bind.source.replace(site.id, "other") })),
    })),
  },
  {
    name: "settings that the site may write",
    caughtBy: PATHS,
    plugin: broken((role) => ({ binds: (site) => role.binds(site).map((bind) => ({ ...bind, writable: true })) })),
  },
  {
    name: "a bind without a mount point",
    caughtBy: PATHS,
    plugin: broken((role) => ({ layout: { ...role.layout, mountPoints: role.layout.mountPoints.slice(1) } })),
  },
  {
    name: "a folder of its own that climbs",
    caughtBy: PATHS,
    plugin: broken(() => ({ ownFolders: () => [{ path: "wp-content/../../private" }] })),
  },
  {
    name: "a rule without its slash",
    caughtBy: RULES,
    plugin: broken((role) => ({
      webRules: (site) => ({ ...role.webRules(site), denied: [{ exact: "wp-config.php" }] }),
    })),
  },
  {
    name: "a prefix that is the beginning of a name",
    caughtBy: RULES,
    plugin: broken((role) => ({
      webRules: (site) => ({ ...role.webRules(site), ownPaths: [{ prefix: "/wp-content" }] }),
    })),
  },
  {
    name: "URLs of a folder that the site does not own",
    caughtBy: RULES,
    plugin: broken((role) => ({
      webRules: (site) => ({ ...role.webRules(site), ownPaths: [{ prefix: "/wp-includes/" }] }),
    })),
  },
  {
    name: "a secret in the text of the settings",
    caughtBy: "secrets stand in its settings as references only",
    plugin: broken((role) => ({
      settings: (view) => [
        ...role.settings(view),
        { path: "more.php", content: `<?php // mark-of-a-secret-7f3a-site/${view.id}/db-password` },
      ],
    })),
  },
  {
    name: "settings that differ from call to call",
    caughtBy: "the same view renders the same text",
    plugin: broken((role) => ({
      settings: (view) => [...role.settings(view), { path: "more.php", content: `<?php // ${performance.now()}` }],
    })),
  },
  {
    name: "a site without a database that gets settings",
    caughtBy: "a database that it cannot use",
    plugin: broken((role) => ({ settings: (view) => (view.bindings.db === undefined ? [] : role.settings(view)) })),
  },
];
