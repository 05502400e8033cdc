import type { DatabaseBinding, SiteView, SiteRecord } from "@hostwright/core/plugin";
import { wordpress } from "@hostwright/platform-wordpress";
import { newId } from "../../packages/core/src/model/ids.ts";
import { referencesOf } from "../../packages/core/src/model/text.ts";
import { openState } from "../../packages/core/src/store/open-state.ts";
import { SecretVault } from "../../packages/core/src/store/secrets.ts";
import { sitePaths, siteSecret } from "../../packages/core/src/tasks/site-parts.ts";

const FIRST_UID = 20_000;

/**
 * Records of installed WordPress sites with their secrets, as their installs would have left them, on a platform whose
 * server has all services. Their applications are missing: a verify makes everything else.
 */
export async function recordSites(
  stateDir: string,
  platformName: string,
  count: number,
): Promise<readonly SiteRecord[]> {
  const { store, box } = await openState({ stateDir });
  try {
    const vault = new SecretVault(store.secrets, box);
    const platform = await store.records.get("platform", platformName);
    if (platform === null) throw new Error(`there is no platform ${platformName}`);
    const { server } = platform.value as { server: string };
    const sites: SiteRecord[] = [];
    for (let index = 0; index < count; index += 1) {
      const uid = await store.records.nextNumber("uid", FIRST_UID);
      const domain = `bulk-${uid}.example.com`;
      const site: SiteRecord = {
        id: newId("s"),
        domain,
        aliases: [`www.${domain}`],
        aliasMode: "redirect",
        status: "installed",
        enabled: true,
        platform: platform.id,
        bindings: { http: { service: "http" }, php: { service: "php" }, db: { server, service: "db" } },
        uid,
        title: domain,
        adminEmail: `admin@${domain}`,
        adminUser: "admin",
        options: { locale: "en_US", tablePrefix: "wp_" },
        optionsVersion: 1,
        limits: { uploadMegabytes: 64, requestSeconds: 60, memoryMegabytes: 256, phpWorkers: 5 },
      };
      await vault.ensure(secretsOf(site).map((id) => ({ id, generate: "password" })));
      const claims = [domain, ...site.aliases];
      await store.records.put({ kind: "site", id: site.id, name: domain, value: site }, { expect: 0, claims });
      sites.push(site);
    }
    return sites;
  } finally {
    await store.close();
  }
}

/** Every secret that the site's settings name. */
function secretsOf(site: SiteRecord): readonly string[] {
  const db: DatabaseBinding = {
    protocol: "mysql",
    name: site.id,
    user: site.id,
    host: "localhost",
    port: null,
    socket: "/s",
    password: siteSecret(site, "db-password", "db password"),
  };
  const view: Pick<SiteView, "paths" | "bindings" | "secret"> = {
    paths: sitePaths(site.id),
    bindings: { db },
    secret: (name, label) => siteSecret(site, name, label),
  };
  const settings = wordpress.platforms?.[0]?.role.settings({ ...site, ...view } as unknown as SiteView) ?? [];
  return [...new Set(settings.flatMap(({ content }) => referencesOf(content).map(({ id }) => id)))];
}
