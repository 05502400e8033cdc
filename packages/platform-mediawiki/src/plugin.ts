import { CONTRACT, definePlatform, type PlatformPlugin } from "@hostwright/core/plugin";
import type * as z from "zod";
import { application } from "./calls.ts";
import { binds, codeNeeded, confFolders, detect, layout, ownFolders } from "./layout.ts";
import { MediaWikiOptions, MediaWikiSiteOptions } from "./options.ts";
import { webRules } from "./rules.ts";
import { databases, settings } from "./settings.ts";

/** MediaWiki: one release shared by its sites, each with its own uploads and database. */
export const mediawiki: PlatformPlugin<
  z.input<typeof MediaWikiOptions>,
  z.input<typeof MediaWikiSiteOptions>
> = definePlatform({
  name: "@hostwright/platform-mediawiki",
  contract: CONTRACT,
  requires: [{ service: "php" }],
  type: "mediawiki",
  options: { version: 1, schema: MediaWikiOptions },
  siteOptions: { version: 1, schema: MediaWikiSiteOptions },
  role: {
    needs: { php: {}, db: { protocols: databases } },
    layout,
    detect,
    codeNeeded,
    ownFolders,
    confFolders,
    binds,
    webRules,
    settings,
    application,
  },
});
