import * as z from "zod";

/** What holds for every site of a platform: nothing yet. */
export const StaticOptions: z.ZodObject<Record<never, never>, z.core.$strict> = z.strictObject({});
export type StaticOptions = z.output<typeof StaticOptions>;

/** What a single site may differ in: nothing yet. */
export const StaticSiteOptions: z.ZodObject<Record<never, never>, z.core.$strict> = z.strictObject({});
export type StaticSiteOptions = z.output<typeof StaticSiteOptions>;
