import { CONTRACT, definePlatform, type PlatformPlugin, type WebRules } from "@hostwright/core/plugin";
import type * as z from "zod";
import { detect, layout } from "./layout.ts";
import { NodeAppOptions, NodeAppSiteOptions } from "./options.ts";
import { settings } from "./settings.ts";

/** Files of `public/` are the web server's; everything else the program answers. */
const rules: WebRules = { scripts: null, ownPaths: [], denied: [], cache: [] };

/** A Node.js program: one release shared by its sites, each with a process, data and variables of its own. */
export const nodeApp: PlatformPlugin<
  z.input<typeof NodeAppOptions>,
  z.input<typeof NodeAppSiteOptions>
> = definePlatform({
  name: "@hostwright/platform-node",
  contract: CONTRACT,
  requires: [{ service: "node" }],
  type: "node",
  options: { version: 1, schema: NodeAppOptions },
  siteOptions: { version: 1, schema: NodeAppSiteOptions },
  role: {
    needs: { node: {}, db: { optional: true }, cache: { optional: true } },
    layout,
    main: ({ platform }) => (platform.options as NodeAppOptions).main,
    detect,
    ownFolders: () => [],
    confFolders: () => [],
    binds: () => [],
    webRules: () => rules,
    settings,
  },
});
