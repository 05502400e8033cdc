export { wordpress } from "./plugin.ts";
export type { WordPressOptions, WordPressSiteOptions } from "./options.ts";
