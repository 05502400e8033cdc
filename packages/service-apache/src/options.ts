import * as z from "zod";

/** What a server's record may say about its Apache. */
export const ApacheOptions: z.ZodObject<{ httpPort: z.ZodDefault<z.ZodInt>; ipv6: z.ZodDefault<z.ZodBoolean> }> =
  z.strictObject({
    /** Port on which all sites answer, on every address. */
    httpPort: z.int().min(1).max(65_535).default(80),
    /** Listen on IPv6 too. Off only where the kernel has none: Apache would not start. */
    ipv6: z.boolean().default(true),
  });

export type ApacheOptions = z.output<typeof ApacheOptions>;
