import * as z from "zod";

/** What holds for every site of a platform: nothing yet. */
export const DrupalOptions: z.ZodObject<Record<never, never>, z.core.$strict> = z.strictObject({});
export type DrupalOptions = z.output<typeof DrupalOptions>;

type SiteShape = { profile: z.ZodDefault<z.ZodString>; langcode: z.ZodDefault<z.ZodString> };

export const DrupalSiteOptions: z.ZodObject<SiteShape, z.core.$strict> = z.strictObject({
  /** Installation profile by its machine name. */
  profile: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,49}$/, "a machine name such as standard")
    .default("standard"),
  /** Language of the site; the release must hold its files. */
  langcode: z
    .string()
    .regex(/^[a-z]{2,3}(-[a-z0-9]{2,8})?$/, "a language code such as en or pt-br")
    .default("en"),
});
export type DrupalSiteOptions = z.output<typeof DrupalSiteOptions>;
