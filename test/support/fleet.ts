import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, secret, ssh, type Hostwright, type SiteRecord } from "@hostwright/core";
import { redis } from "@hostwright/service-redis";
import { phpFpm } from "@hostwright/service-php-fpm";
import { CHOICES } from "../../demo/choices.ts";
import { startHosts, type TestHost } from "../hosts/hosts.ts";
import type { App } from "./apps.ts";
import type { Pair } from "./pair.ts";
import { base, client, flavour, service } from "./tested-mysql.ts";

/** Hosts with an instance that knows them: `web1`, and `db1` where the database stands apart. */
export interface Fleet extends AsyncDisposable {
  readonly hw: Hostwright;
  readonly web: TestHost;
  /** The same host as `web` where one host is all. */
  readonly database: TestHost;
  readonly stateDir: string;
  readonly pair: Pair;
}

/** How an instance reaches a test host. */
export function connect(host: TestHost): ReturnType<typeof ssh> {
  const { address, port, user, hostKey, privateKey } = host;
  return ssh({ host: address, port, user, hostKey, privateKey: secret(privateKey) });
}

/** Boots the hosts and records them; nothing is changed on them yet. */
export async function startFleet(
  where: "one host" | "two hosts",
  { http = "nginx", db = "mysql" }: Partial<Pair> = {},
): Promise<Fleet> {
  const apart = where === "two hosts";
  const webServer = CHOICES.http[http];
  const { plugin, runs } = CHOICES.db[db];
  // Where MySQL itself is tested, its host has nothing else.
  const data = apart && db === "mysql" ? { base, services: [service] } : { services: [runs] };
  const hosts = await startHosts(apart ? [{ name: "web1" }, { name: "db1", ...data }] : [{ name: "web1", ...data }]);
  const stateDir = await mkdtemp(join(tmpdir(), "hostwright-test-"));
  const plugins = [webServer, phpFpm, plugin, redis, ...Object.values(CHOICES.platform)];
  const hw = await createHostwright({ stateDir, plugins });
  const web = hosts.host("web1");
  const database = hosts.host(apart ? "db1" : "web1");
  const pages = [webServer.service(), phpFpm.service({ version: "8.4" })];
  const listen = [database.address];
  const stored = !apart
    ? plugin.service()
    : db === "mysql"
      ? CHOICES.db.mysql.plugin.service({ flavour, listen })
      : plugin.service({ listen });
  await hw.servers.put({ name: "web1", connect: connect(web), services: apart ? pages : [...pages, stored] });
  if (apart) await hw.servers.put({ name: "db1", connect: connect(database), services: [stored] });
  return {
    hw,
    web,
    database,
    stateDir,
    pair: { http, db },
    async [Symbol.asyncDispose]() {
      await hw[Symbol.asyncDispose]();
      await hosts.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** Runs SQL in a site's database as the database server's administrator. */
export async function runSql({ database, pair }: Fleet, site: SiteRecord, sql: string): Promise<void> {
  const administrator = {
    mysql: `${client} ${site.id}`,
    postgres: `cd / && runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 ${site.id}`,
  };
  await database.sh(administrator[pair.db], { input: sql });
}

/**
 * Debian's stock site has names of its own: nginx's answers for every one that nobody has, Apache's for the machine's. A
 * restart, since after a reload the old processes may answer for a while.
 */
export async function removeStockSite({ web, pair }: Fleet): Promise<void> {
  const remove = {
    nginx: "rm /etc/nginx/sites-enabled/default && systemctl restart nginx",
    apache: "rm /etc/apache2/sites-enabled/000-default.conf && systemctl restart apache2",
  };
  await web.sh(remove[pair.http]);
}

/** Records an application's code as a platform on `web1`. */
export async function putPlatform({ hw }: Fleet, app: App): Promise<void> {
  await hw.platforms.put({ name: app.name, server: "web1", type: app.platform, source: { path: app.source } });
}

/** Commands and scripts run on all servers so far. */
export async function roundTrips(hw: Hostwright): Promise<number> {
  return (await hw.connections()).reduce((sum, { stats }) => sum + stats.roundTrips, 0);
}

export function homeOf(site: SiteRecord): string {
  return `/srv/sites/${site.id}`;
}
