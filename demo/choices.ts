import { drupal } from "@hostwright/platform-drupal";
import { mediawiki } from "@hostwright/platform-mediawiki";
import { wordpress } from "@hostwright/platform-wordpress";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { postgres } from "@hostwright/service-postgres";

/** What the demo can be made of: plugins, and the package of Debian that a test host runs for a database. */
export const CHOICES = {
  http: { nginx, apache },
  db: { mysql: { plugin: mysql, runs: "mariadb" }, postgres: { plugin: postgres, runs: "postgresql" } },
  platform: { wordpress, mediawiki, drupal },
} as const;

export interface Pair {
  readonly db: keyof typeof CHOICES.db;
  readonly platform: keyof typeof CHOICES.platform;
}

/** Databases and platforms that go together, preferred first: the plugins say it themselves. */
export function pairs(): readonly Pair[] {
  const databases = Object.entries(CHOICES.db) as [Pair["db"], (typeof CHOICES.db)[Pair["db"]]][];
  const platforms = Object.entries(CHOICES.platform) as [Pair["platform"], (typeof CHOICES.platform)["wordpress"]][];
  return platforms.flatMap(([platform, plugin]) =>
    (plugin.platforms?.[0]?.role.needs?.["db"]?.protocols ?? []).flatMap((protocol) =>
      databases
        .filter(([, { plugin: database }]) =>
          database.services?.some(
            ({ kind, role }) => kind === "db" && "protocol" in role && role.protocol === protocol,
          ),
        )
        .map(([db]): Pair => ({ db, platform })),
    ),
  );
}
