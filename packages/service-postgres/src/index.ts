export { postgres } from "./plugin.ts";
export type { PostgresOptionsInput } from "./options.ts";
