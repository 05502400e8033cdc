import type { ServicePlace, SiteRecord } from "./records.ts";

/** A site as it was recorded before all of its services were `bindings`. */
interface FormerSite {
  readonly http: string;
  readonly php: string | null;
  readonly database: ServicePlace | null;
  readonly bindings?: Readonly<Record<string, ServicePlace>>;
}

/** A site of a plan that was made before: those in the store were brought to it by a migration (store/sqlite/schema.ts). */
export function presentSite(site: SiteRecord | (Omit<SiteRecord, "bindings"> & FormerSite)): SiteRecord {
  if (!("http" in site)) return site;
  const { http, php, database, bindings = {}, ...same } = site;
  return {
    ...same,
    bindings: {
      http: { service: http },
      ...(php === null ? {} : { php: { service: php } }),
      ...(database === null ? {} : { db: database }),
      ...bindings,
    },
  };
}
