import { CONTRACT, definePlatform, type PlatformPlugin } from "@hostwright/core/plugin";
import type * as z from "zod";
import { application } from "./calls.ts";
import { binds, confFolders, detect, layout, ownFolders } from "./layout.ts";
import { DrupalOptions, DrupalSiteOptions } from "./options.ts";
import { webRules } from "./rules.ts";
import { databases, settings } from "./settings.ts";

/** Drupal as a composer project: one release shared by its sites, each seeing itself at sites/default. */
export const drupal: PlatformPlugin<z.input<typeof DrupalOptions>, z.input<typeof DrupalSiteOptions>> = definePlatform({
  name: "@hostwright/platform-drupal",
  contract: CONTRACT,
  requires: [{ service: "php" }],
  type: "drupal",
  options: { version: 1, schema: DrupalOptions },
  siteOptions: { version: 1, schema: DrupalSiteOptions },
  role: {
    needs: { php: {}, db: { protocols: databases }, cache: { protocols: ["redis"], optional: true } },
    layout,
    detect,
    ownFolders,
    confFolders,
    binds,
    webRules,
    settings,
    application,
  },
});
