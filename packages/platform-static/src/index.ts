export { staticSite } from "./plugin.ts";
export type { StaticOptions, StaticSiteOptions } from "./options.ts";
