import type { PlatformPlugin, PlatformRole } from "@hostwright/core/plugin";
import { nodeApp } from "@hostwright/platform-node";
import type { Mutant } from "./mutant.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- their options do not matter here
type AnyPlatform = PlatformPlugin<any, any>;

const broken = (change: (role: PlatformRole) => Partial<PlatformRole>): AnyPlatform => ({
  ...nodeApp,
  platforms: (nodeApp.platforms ?? []).map((one) => ({ ...one, role: { ...one.role, ...change(one.role) } })),
});

/** Of a platform without an application, each on a host of its own. */
export const plainMutants: readonly Mutant<AnyPlatform>[] = [
  {
    name: "a program that is told another site's name",
    caughtBy: "a site that was installed answers",
    plugin: broken(({ settings }) => ({ settings: (view) => settings({ ...view, domain: "other.example.com" }) })),
  },
  {
    name: "a release that is shown whole",
    caughtBy: "a site that was installed answers",
    plugin: broken(({ layout }) => ({ layout: { ...layout, docroot: "." } })),
  },
  {
    name: "any folder is a codebase",
    caughtBy: "a folder that is no codebase",
    plugin: broken(() => ({ detect: async () => Promise.resolve({ version: "1.2.3" }) })),
  },
  {
    name: "settings that are others in each plan",
    caughtBy: "a verify right after it was installed",
    plugin: broken(({ settings }) => ({
      settings: (view) => [...settings(view), { path: "more", content: String(performance.now()) }],
    })),
  },
];
