import { isDeepStrictEqual } from "node:util";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  cluster,
  configure,
  deleteSite,
  disable,
  enable,
  moveDatabase,
  secret,
  switchHttp,
  takeOver,
  verify,
  type ConfigureOptions,
  type Hostwright,
  install,
  type SiteRecord,
} from "@hostwright/core";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { postgres } from "@hostwright/service-postgres";
import { staticSite } from "@hostwright/platform-static";
import { wordpress } from "@hostwright/platform-wordpress";
import { redis } from "@hostwright/service-redis";
import { LivingServer } from "../support/living-server.ts";
import { CLAIM, SITE } from "./snapshot.ts";

/** Of the second host, which has database servers, and is the second web head of what stands on two. */
export const OTHER_HOST = "db2";
/** Where the tried site may stand: WordPress on one web head, and on two, and files on two. */
export type SitePlatform = "wordpress" | "pair" | "files";
/** What stands in the crash worker's list beside the plugins of every living server. */
const MORE_PLUGINS = [apache, redis, postgres, staticSite];

export function installOn(platform: SitePlatform): ReturnType<typeof install> {
  return install(SITE, { platform, ...(platform === "pair" ? { bindings: { db: "web1:db" } } : {}) });
}
/** Appends a line once to each file that is named. */
export const BY_HAND: string = String.raw`by_hand() { for file; do grep -q '^# by hand' "$file" || echo '# by hand' >> "$file"; done; }`;

/**
 * A server with two web servers, of which nginx serves, a cache, and a second server with MariaDB and PostgreSQL. Both are
 * web heads of a cluster, the second one with Apache.
 */
export async function startLiving(options: { readonly leaseMs?: number } = {}): Promise<LivingServer> {
  const living = await LivingServer.start({
    ...options,
    plugins: MORE_PLUGINS,
    beside: [{ name: OTHER_HOST, services: ["mariadb", "postgresql"] }],
  });
  const { hw, hosts } = living;
  const web = [nginx.service(), apache.service({}, "apache"), phpFpm.service({ version: "8.4" })];
  const database = mysql.service({ listen: [living.host.address] });
  await hw.servers.put({ name: "web1", services: [...web, database, redis.service({}, "redis")] });
  const other = hosts.host(OTHER_HOST);
  const connect = living.connection({}, other);
  const databases = [mysql.service({ listen: [other.address] }), postgres.service({}, "postgres")];
  const head = [apache.service(), phpFpm.service({ version: "8.4" })];
  await hw.servers.put({ name: OTHER_HOST, connect, services: [...databases, ...head] });
  await hw.servers.put({ name: "both", connect: cluster("web1", OTHER_HOST) });
  const pair = { path: living.codebases["6.8"] };
  await hw.platforms.put({ name: "pair", server: "both", type: wordpress.platform(), source: pair });
  const files = join(living.state.path, "..", `${basename(living.state.path)}-files`);
  await mkdir(files, { recursive: true });
  await writeFile(join(files, "index.html"), "<title>Files</title>");
  await hw.platforms.put({ name: "files", server: "both", type: staticSite.platform(), source: { path: files } });
  for (const alias of ["both", "@pair", "@files"]) await hw.run(verify(alias));
  // What comes to a server with its first site, and stays.
  await hw.run(installOn("pair"));
  await hw.run(deleteSite(SITE));
  return living;
}

/** Ends every trace of a case, for the next one. */
export async function settle(living: LivingServer): Promise<void> {
  await living.hw.run(takeOver("web1"));
  await servedBy("http")(living);
  await withoutSite(living);
  await living.hw.run(verify("web1"));
}

export async function withoutSite({ hw }: LivingServer): Promise<void> {
  if ((await siteOf(hw)) !== undefined) await hw.run(deleteSite(SITE));
}

export async function withSite(
  { hw }: LivingServer,
  enabled = true,
  platform: SitePlatform = "wordpress",
): Promise<SiteRecord> {
  const { id } = await hw.platforms.get(platform);
  let site = await siteOf(hw);
  if (site !== undefined && site.platform !== id) {
    await hw.run(deleteSite(SITE));
    site = undefined;
  }
  if (site === undefined) await hw.run(installOn(platform));
  if ((site?.enabled ?? true) !== enabled) await hw.run(enabled ? enable(SITE) : disable(SITE));
  return hw.sites.get(SITE);
}

/** The site with its database on one of the two servers. */
export function withDatabaseOn(name: string): (living: LivingServer) => Promise<void> {
  return async (living) => {
    const { db } = (await withSite(living)).bindings;
    const { id } = await living.hw.servers.get(name);
    if (db?.server !== id) await living.hw.run(moveDatabase(SITE, `${name}:db`));
  };
}

export function servedBy(service: string): (living: LivingServer) => Promise<void> {
  return async ({ hw }) => {
    await hw.run(switchHttp("web1", service));
  };
}

/** The site with the `wanted` of both and nothing of the `other`; its secrets of both were made once, and stay. */
export function configured(wanted: ConfigureOptions, other: ConfigureOptions): (living: LivingServer) => Promise<void> {
  return async (living) => {
    const site = await withSite(living);
    const { hw } = living;
    if (site.webRules === undefined) {
      await hw.sites.setPassword(SITE, "anna", secret("correct horse battery"));
      await hw.run(configure(SITE, other));
    }
    const { webRules, bindings } = await hw.sites.get(SITE);
    const [rules, bound] = [{ ...webRules, ...wanted.webRules }, typeof wanted.bindings?.cache === "string"];
    if (isDeepStrictEqual(webRules, rules) && (bindings?.cache !== undefined) === bound) return;
    await hw.run(configure(SITE, wanted));
  };
}

/** Another installation has the server, as its claim says. */
export async function heldByAnother({ host }: LivingServer): Promise<void> {
  const claim = "00000000-0000-4000-8000-000000000000 2026-01-01T00:00:00.000Z another:/srv/state";
  await host.sh(`echo '${claim}' > ${CLAIM}`);
}

/** Of modes, contents and units; the same however often it is done. */
export async function driftSite(living: LivingServer): Promise<void> {
  const { id } = await withSite(living);
  await living.host.sh(`${BY_HAND}
    chmod 0755 /srv/sites/${id}/private
    by_hand /etc/hostwright/php/${id}.conf /etc/hostwright/nginx/entries/${id}.conf /etc/hostwright/nginx/current/${id}.conf
    systemctl stop hostwright-php-${id}.socket hostwright-php-${id}.service`);
}

async function siteOf(hw: Hostwright): Promise<SiteRecord | undefined> {
  return (await hw.sites.list()).find(({ domain }) => domain === SITE);
}
