import { CONTRACT, definePlatform, type PlatformPlugin } from "@hostwright/core/plugin";
import type * as z from "zod";
import { install, loginLink, seed, status } from "./calls.ts";
import { binds, codeNeeded, confFolders, detect, layout, ownFolders } from "./layout.ts";
import { WordPressOptions, WordPressSiteOptions } from "./options.ts";
import { driverSource } from "./php-sources.ts";
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
    databases: ["mysql"],
    bindings: { cache: ["redis"] },
    layout,
    driver: {
      name: "wordpress.php",
      get source(): string {
        return driverSource();
      },
    },
    detect,
    codeNeeded,
    ownFolders,
    confFolders,
    binds,
    webRules,
    settings,
    seed,
    install,
    loginLink,
    status,
  },
});
