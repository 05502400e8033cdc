import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, secret, ssh, type Hostwright, type SiteRecord } from "@hostwright/core";
import { drupal } from "@hostwright/platform-drupal";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { redis } from "@hostwright/service-redis";
import { phpFpm } from "@hostwright/service-php-fpm";
import { startHosts, type TestHost } from "../hosts/hosts.ts";
import type { App } from "./apps.ts";

/** Hosts with an instance that knows them: `web1`, and `db1` where the database stands apart. */
export interface Estate extends AsyncDisposable {
  readonly hw: Hostwright;
  readonly web: TestHost;
  /** The same host as `web` where one host is all. */
  readonly database: TestHost;
  readonly stateDir: string;
}

/** How an instance reaches a test host. */
export function connect(host: TestHost): ReturnType<typeof ssh> {
  const { address, port, user, hostKey, privateKey } = host;
  return ssh({ host: address, port, user, hostKey, privateKey: secret(privateKey) });
}

/** Boots the hosts and records them; nothing is changed on them yet. */
export async function startEstate(where: "one host" | "two hosts"): Promise<Estate> {
  const apart = where === "two hosts";
  const hosts = await startHosts(
    apart ? [{ name: "web1" }, { name: "db1", services: ["mariadb"] }] : [{ name: "web1", services: ["mariadb"] }],
  );
  const stateDir = await mkdtemp(join(tmpdir(), "hostwright-test-"));
  const hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, redis, wordpress, drupal] });
  const web = hosts.host("web1");
  const database = hosts.host(apart ? "db1" : "web1");
  const pages = [nginx.service(), phpFpm.service({ version: "8.4" })];
  const data = mysql.service(apart ? { listen: [database.address] } : undefined);
  await hw.servers.put({ name: "web1", connect: connect(web), services: apart ? pages : [...pages, data] });
  if (apart) await hw.servers.put({ name: "db1", connect: connect(database), services: [data] });
  return {
    hw,
    web,
    database,
    stateDir,
    async [Symbol.asyncDispose]() {
      await hw[Symbol.asyncDispose]();
      await hosts.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** Records an application's code as a platform on `web1`. */
export async function putPlatform({ hw }: Estate, app: App): Promise<void> {
  await hw.platforms.put({ name: app.name, server: "web1", type: app.platform, source: { path: app.source } });
}

/** Commands and scripts run on all servers so far. */
export async function roundTrips(hw: Hostwright): Promise<number> {
  return (await hw.connections()).reduce((sum, { stats }) => sum + stats.roundTrips, 0);
}

export function homeOf(site: SiteRecord): string {
  return `/srv/sites/${site.id}`;
}
