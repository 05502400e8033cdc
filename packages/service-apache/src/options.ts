import * as z from "zod";

/** What a server's record may say about its Apache. */
export const ApacheOptions: z.ZodObject<{ httpPort: z.ZodDefault<z.ZodInt> }> = z.strictObject({
  /** Port on which all sites answer, on every address. */
  httpPort: z.int().min(1).max(65_535).default(80),
});

export type ApacheOptions = z.output<typeof ApacheOptions>;
