export { redis } from "./plugin.ts";
export type { RedisOptionsInput } from "./options.ts";
