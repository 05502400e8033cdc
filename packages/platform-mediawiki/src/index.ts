export { mediawiki } from "./plugin.ts";
export type { MediaWikiOptions, MediaWikiSiteOptions } from "./options.ts";
