import * as z from "zod";

/** What holds for every site of a platform: nothing yet. */
export const WordPressOptions: z.ZodObject<Record<never, never>, z.core.$strict> = z.strictObject({});
export type WordPressOptions = z.output<typeof WordPressOptions>;

type SiteShape = { locale: z.ZodDefault<z.ZodString>; tablePrefix: z.ZodDefault<z.ZodString> };

export const WordPressSiteOptions: z.ZodObject<SiteShape, z.core.$strict> = z.strictObject({
  /** Language as WordPress names it; the release must hold its files. */
  locale: z
    .string()
    .regex(/^[a-z]{2,3}(_[A-Z]{2})?(_[a-z]+)?$/, "a locale such as de_DE")
    .default("en_US"),
  tablePrefix: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,19}$/, "lower-case letters, digits and _, at most 20")
    .default("wp_"),
});
export type WordPressSiteOptions = z.output<typeof WordPressSiteOptions>;
