export { phpFpm } from "./plugin.ts";
export type { PhpFpmOptions } from "./options.ts";
