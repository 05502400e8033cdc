import { configure, type Hostwright, type SiteRecord } from "@hostwright/core";
import {
  configured,
  type OTHER_HOST,
  servedBy,
  type SitePlatform,
  withDatabaseOn,
  withoutSite,
  withSite,
} from "../crash/arrangements.ts";
import { HEADED, RULED, UNRULED } from "../crash/cases.ts";
import { SITE } from "../crash/snapshot.ts";
import type { LivingServer } from "../support/living-server.ts";

/** How the tried site and its server stand, as far as tasks change it. */
export interface Standing {
  /** Name of the web service that serves. */
  readonly http: "http" | "apache";
  readonly site: SiteStanding | null;
}

export interface SiteStanding {
  readonly platform: SitePlatform;
  readonly enabled: boolean;
  /** Web rules of its own and a cache: it never had them, has them, or they were taken from it. */
  readonly rules: "never" | "given" | "taken";
  /** Where its database is. */
  readonly database: "web1" | typeof OTHER_HOST;
}

export const NEW_SITE: SiteStanding = { platform: "wordpress", enabled: true, rules: "never", database: "web1" };
export const BEGINNING: Standing = { http: "http", site: null };

/** Equal for equal ones, and readable. */
export function nameOf({ http, site }: Standing): string {
  const served = http === "http" ? "nginx" : "Apache";
  if (site === null) return `${served}, no site`;
  return `${served}, site on ${site.platform} ${site.enabled ? "enabled" : "disabled"}, rules ${site.rules}, database on ${site.database}`;
}

/** Brings server and site there by tasks that nobody disturbs, and by as few as do. */
export async function reach(living: LivingServer, wanted: Standing): Promise<void> {
  await servedBy(wanted.http)(living);
  const { site } = wanted;
  const present = await siteOf(living.hw);
  const used = present?.webRules !== undefined;
  if (site === null || (used && site.rules === "never")) await withoutSite(living);
  if (site === null) return;
  await withSite(living, present?.enabled ?? true, site.platform);
  if (site.platform === "files" && site.rules === "given") await living.hw.run(configure(SITE, HEADED));
  else if (site.rules !== "never")
    await configured(...(site.rules === "given" ? ([RULED, UNRULED] as const) : ([UNRULED, RULED] as const)))(living);
  if (site.platform === "wordpress") await withDatabaseOn(site.database)(living);
  await withSite(living, site.enabled, site.platform);
}

async function siteOf(hw: Hostwright): Promise<SiteRecord | undefined> {
  return (await hw.sites.list()).find(({ domain }) => domain === SITE);
}
