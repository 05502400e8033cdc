import { CONTRACT, definePlatform, type PlatformPlugin } from "@hostwright/core/plugin";
import type * as z from "zod";
import { application } from "./calls.ts";
import { binds, codeNeeded, confFolders, detect, layout, ownFolders } from "./layout.ts";
import { WordPressOptions, WordPressSiteOptions } from "./options.ts";
import { webRules } from "./rules.ts";
import { settings } from "./settings.ts";

/** WordPress: one release shared by its sites, each with its own wp-content and database. */
export const wordpress: PlatformPlugin<
  z.input<typeof WordPressOptions>,
  z.input<typeof WordPressSiteOptions>
> = definePlatform({
  name: "@hostwright/platform-wordpress",
  contract: CONTRACT,
  requires: [{ service: "php" }],
  type: "wordpress",
  options: { version: 1, schema: WordPressOptions },
  siteOptions: { version: 1, schema: WordPressSiteOptions },
  role: {
    needs: { php: {}, db: { protocols: ["mysql"] }, cache: { protocols: ["redis"], optional: true } },
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
