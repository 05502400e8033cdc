export { node } from "./plugin.ts";
export type { NodeOptions } from "./options.ts";
