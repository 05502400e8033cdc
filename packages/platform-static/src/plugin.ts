import { CONTRACT, definePlatform, type PlatformPlugin, type WebRules } from "@hostwright/core/plugin";
import type * as z from "zod";
import { StaticOptions, StaticSiteOptions } from "./options.ts";

const INDEX = "index.html";

const rules: WebRules = {
  indexFile: INDEX,
  scripts: null,
  ownPaths: [],
  denied: [],
  cache: [],
};

/** A folder of files, as a site generator makes it: one release, read by the web server alone. */
export const staticSite: PlatformPlugin<
  z.input<typeof StaticOptions>,
  z.input<typeof StaticSiteOptions>
> = definePlatform({
  name: "@hostwright/platform-static",
  contract: CONTRACT,
  type: "static",
  options: { version: 1, schema: StaticOptions },
  siteOptions: { version: 1, schema: StaticSiteOptions },
  role: {
    layout: { docroot: "web", sourceAt: "web", mountPoints: [] },
    // Files have no version of their own: a release is known by the digest of its tree.
    detect: async (source) => ((await source.exists(INDEX)) ? { version: "files" } : null),
    ownFolders: () => [],
    confFolders: () => [],
    binds: () => [],
    webRules: () => rules,
    settings: () => [],
  },
});
