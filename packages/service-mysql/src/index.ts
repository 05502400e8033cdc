export { mysql } from "./plugin.ts";
export type { MysqlOptions, MysqlOptionsInput } from "./options.ts";
