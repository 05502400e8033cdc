import * as z from "zod";
import { parseDomain } from "../model/domain.ts";
import { Secret } from "../model/secret.ts";

/** Id, main domain or alias of a site; name or id of a server or platform; any of them may begin with `@`. */
export const Name: z.ZodType<string> = z.string().min(1).max(300);

/** A name that is yet to be a site's, as its record will have it. Throws HW_DOMAIN_INVALID, HW_DOMAIN_RESERVED. */
export const Domain: z.ZodType<string> = z.string().transform(parseDomain);

/** What a task gives back for its caller's eyes alone. */
export const SecretValue: z.ZodType<Secret> = z.instanceof(Secret);

/** A request about one site. */
export interface SiteInput {
  /** Id, main domain or alias. */
  readonly site: string;
}

export interface ServerInput {
  /** Name or id. */
  readonly server: string;
}

/** The site that a task was about. */
export interface OfSite {
  /** Its id. */
  readonly site: string;
  /** Its main domain. */
  readonly domain: string;
}

export const ofSite: z.ZodObject<{ readonly site: z.ZodString; readonly domain: z.ZodString }, z.core.$strict> =
  z.strictObject({ site: z.string(), domain: z.string() });
