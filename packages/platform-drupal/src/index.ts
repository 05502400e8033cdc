export { drupal } from "./plugin.ts";
export type { DrupalOptions, DrupalSiteOptions } from "./options.ts";
