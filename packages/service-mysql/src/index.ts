export { mysql } from "./plugin.ts";
export type { MysqlOptions } from "./options.ts";
