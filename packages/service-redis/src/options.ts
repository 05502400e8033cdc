import { ListenAddresses, Port } from "@hostwright/core/plugin";
import * as z from "zod";

/** What an administrator may choose for the cache service of one server; nothing has to be given. */
export interface RedisOptionsInput {
  /** TCP port. Default: 6379. */
  readonly port?: number | undefined;
  /** IP addresses to listen on for web heads on other machines, besides the loopback. Unencrypted: private networks only. Default: none. */
  readonly listen?: string[] | undefined;
  /** Memory for all sites together, 16 to 1048576; what was used longest ago makes room. Default: 256. */
  readonly memoryMegabytes?: number | undefined;
}

/** The options with their defaults. */
export interface RedisOptions {
  readonly port: number;
  readonly listen: readonly string[];
  readonly memoryMegabytes: number;
}

export const RedisOptions: z.ZodType<RedisOptions, RedisOptionsInput> = z.strictObject({
  port: Port.default(6379),
  listen: ListenAddresses,
  memoryMegabytes: z.int().min(16).max(1_048_576).default(256),
});
