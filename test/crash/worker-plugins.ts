import type { Plugin } from "@hostwright/core";
import { mediawiki } from "@hostwright/platform-mediawiki";
import { staticSite } from "@hostwright/platform-static";
import { wordpress } from "@hostwright/platform-wordpress";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { postgres } from "@hostwright/service-postgres";
import { redis } from "@hostwright/service-redis";

/** What workers that are killed on real hosts know: all that a case's task may name. */
export const WORKER_PLUGINS: readonly Plugin[] = [
  nginx,
  apache,
  phpFpm,
  mysql,
  postgres,
  redis,
  wordpress,
  mediawiki,
  staticSite,
];
