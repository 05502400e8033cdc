import * as z from "zod";

/** What holds for every site of a platform: nothing yet. */
export const MediaWikiOptions: z.ZodObject<Record<never, never>, z.core.$strict> = z.strictObject({});
export type MediaWikiOptions = z.output<typeof MediaWikiOptions>;

type Names = z.ZodDefault<z.ZodReadonly<z.ZodArray<z.ZodString>>>;
type SiteShape = { language: z.ZodDefault<z.ZodString>; skins: Names; extensions: Names };

const Name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,60}$/, "a folder's name such as ParserFunctions");

export const MediaWikiSiteOptions: z.ZodObject<SiteShape, z.core.$strict> = z.strictObject({
  /** Language of interface and content, as MediaWiki names it. */
  language: z
    .string()
    .regex(/^[a-z]{2,3}(-[a-z0-9]{2,10})?$/, "a language code such as en or pt-br")
    .default("en"),
  /** Skins of the release to load, the first is the default. */
  skins: z.array(Name).min(1).readonly().default(["Vector"]),
  /** Extensions of the release to load. Their tables are made by the installer. */
  extensions: z.array(Name).readonly().default([]),
});
export type MediaWikiSiteOptions = z.output<typeof MediaWikiSiteOptions>;
