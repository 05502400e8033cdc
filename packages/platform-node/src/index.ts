export { nodeApp } from "./plugin.ts";
export type { NodeAppOptions, NodeAppSiteOptions } from "./options.ts";
