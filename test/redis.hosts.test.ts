import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { configure, deleteSite, install, verify, type SiteRecord } from "@hostwright/core";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { redis } from "@hostwright/service-redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wordpressApp, type App } from "./support/apps.ts";
import { inside, plantProbe } from "./support/as-site.ts";
import { putPlatform, startFleet, type Fleet } from "./support/fleet.ts";
import { page } from "./support/page.ts";

/** What its administrator says, line by line. */
const ADMIN = String.raw`{ sed -n 's/^user hostwright .*>\([^ ]*\) .*/AUTH hostwright \1/p' /etc/hostwright/redis/base.acl; cat; } | redis-cli -s /run/redis/redis-server.sock`;

const CACHE = { cache: "web1:redis" };

let fleet: Fleet;
let app: App;
let sites: { readonly own: SiteRecord; readonly other: SiteRecord; readonly without: SiteRecord };

/** What Redis answers a site's PHP, with that site's own settings; `OWN:` stands for its prefix. */
async function ask(site: SiteRecord, ...commands: readonly string[]): Promise<readonly string[]> {
  const lines = commands.map((command) => `${command}\r\n`).join("");
  const said = await inside(
    fleet.web,
    site,
    `(function ($lines) {
      $socket = stream_socket_client('unix://' . WP_REDIS_PATH, $code, $message, 3);
      fwrite($socket, 'AUTH ' . implode(' ', WP_REDIS_PASSWORD) . "\\r\\n" . str_replace('OWN:', WP_REDIS_PREFIX, $lines) . "QUIT\\r\\n");
      return stream_get_contents($socket);
    })(base64_decode('${Buffer.from(lines).toString("base64")}'))`,
  );
  return String(said).split("\r\n").slice(1, -2);
}

async function installed(domain: string, bindings: { readonly cache?: string }): Promise<SiteRecord> {
  await fleet.hw.run(install(domain, { platform: app.name, options: app.site, bindings }));
  const site = await fleet.hw.sites.get(domain);
  await plantProbe(fleet.web, site);
  return site;
}

beforeAll(async () => {
  app = await wordpressApp("6.8");
  fleet = await startFleet("one host");
  const { hw } = fleet;
  const services = [nginx.service(), phpFpm.service({ version: "8.4" }), mysql.service(), redis.service({}, "redis")];
  await hw.servers.put({ name: "web1", services });
  await putPlatform(fleet, app);
  sites = {
    own: await installed("own.example.com", CACHE),
    other: await installed("other.example.com", CACHE),
    without: await installed("without.example.com", {}),
  };
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  if (app !== undefined) await rm(dirname(app.source), { recursive: true, force: true });
});

describe("a cache that sites share", () => {
  test("keeps what a site puts there, under its own prefix", async () => {
    expect(await ask(sites.own, "SET OWN:key own-value", "GET OWN:key", "TTL OWN:key")).toEqual([
      "+OK",
      "$9",
      "own-value",
      ":-1",
    ]);
    expect(await ask(sites.other, "GET OWN:key")).toEqual(["$-1"]);
    expect(await inside(fleet.web, sites.own, "WP_REDIS_PREFIX")).toBe(`${sites.own.id}:`);
  });

  test.each([
    ["GET ID:key"],
    ["SET ID:key x"],
    ["DEL ID:key"],
    ["COPY ID:key OWN:key"],
    ["RENAME ID:key OWN:key"],
    ["SORT OWN:x BY ID:key GET ID:key"],
    ["KEYS *"],
    ["SCAN 0"],
    ["RANDOMKEY"],
    ["DBSIZE"],
    ["FLUSHALL"],
    ["FLUSHDB"],
    ["SWAPDB 0 1"],
    ["EVAL \"return redis.call('get','ID:key')\" 0"],
    ["CONFIG GET *"],
    ["ACL LIST"],
    ["CLIENT LIST"],
    ["MONITOR"],
    ["INFO"],
    ["DEBUG SLEEP 0"],
    ["SHUTDOWN NOSAVE"],
    ["BGSAVE"],
    ["REPLICAOF 127.0.0.1 1"],
    ["MODULE LIST"],
    ["BLPOP OWN:x 0"],
    ["PUBLISH ID:x y"],
  ])("refuses a site's %s", async (command) => {
    const [said] = await ask(sites.other, command.replaceAll("ID:", `${sites.own.id}:`));
    expect(said).toMatch(/^-(?:NOPERM|ERR DEBUG command not allowed)/);
  });

  test("answers nobody without a password, and no site that did not ask for it sees its socket", async () => {
    const bare = `(function () { $s = stream_socket_client('tcp://127.0.0.1:6379', $c, $m, 3); fwrite($s, "GET a\\r\\nAUTH default x\\r\\nGET a\\r\\nQUIT\\r\\n"); return stream_get_contents($s); })()`;
    expect(await inside(fleet.web, sites.without, bare)).toMatch(/^(?:-(?:NOAUTH|WRONGPASS) [^\n]*\n){2,3}\+OK\r\n$/);
    const sees = "file_exists('/run/redis/redis-server.sock')";
    expect([await inside(fleet.web, sites.without, sees), await inside(fleet.web, sites.own, sees)]).toEqual([
      false,
      true,
    ]);
    expect(await inside(fleet.web, sites.own, "@file_get_contents('/etc/hostwright/redis/base.acl')")).toBe(false);
  });

  test("needs nothing more once it stands, and its accounts outlive a restart", async () => {
    const { hw, web } = fleet;
    expect((await hw.plan(verify("web1"))).empty).toBe(true);
    await web.sh("systemctl restart redis-server");
    expect(await ask(sites.own, "SET OWN:again 1")).toEqual(["+OK"]);
    expect((await hw.plan(verify("own.example.com"))).empty).toBe(true);
  });

  test("is started by verify where it was stopped, with the accounts that it had", async () => {
    const { hw, web } = fleet;
    await web.sh("systemctl stop redis-server");
    const plan = await hw.plan(verify("web1"));
    const types = plan.actions.flatMap((action) =>
      action.kind === "ensure" ? action.changes.map(({ type }) => type) : [],
    );
    expect(types).toEqual(["unit"]);
    await hw.run(plan);
    expect(await ask(sites.own, "SET OWN:again 1")).toEqual(["+OK"]);
  });

  test("whose accounts were lost or widened is repaired by verify", async () => {
    const { hw, web } = fleet;
    await web.sh(`printf 'ACL DELUSER ${sites.own.id}\\nACL SETUSER ${sites.other.id} ~*\\n' | ${ADMIN}`);
    const plan = await hw.plan(verify("web1"));
    const keys = plan.actions.flatMap((action) =>
      action.kind === "ensure" ? action.changes.map(({ key }) => key) : [],
    );
    expect(keys.toSorted()).toEqual([sites.own.id, sites.other.id].toSorted());
    expect(plan.render()).toContain("<cache password of own.example.com>");
    expect(plan.render()).not.toMatch(/#[0-9a-f]{64}/);
    await hw.run(plan);
    expect(await ask(sites.own, "GET OWN:again")).toEqual(["$1", "1"]);
    expect((await ask(sites.other, `GET ${sites.own.id}:again`))[0]).toMatch(/^-NOPERM/);
  });

  test("is taken from a site and given to another by a task, shown under its plugin's name", async () => {
    const { hw, web } = fleet;
    const plan = await hw.plan(configure("without.example.com", { bindings: CACHE }));
    expect(plan.render()).toMatch(/cache of without\.example\.com, by .*@hostwright\/service-redis/);
    await hw.run(plan);
    expect(await ask(sites.without, "SET OWN:a b")).toEqual(["+OK"]);
    await hw.run(configure("own.example.com", { bindings: { cache: null } }));
    expect(await inside(web, sites.own, "defined('WP_REDIS_PATH') || file_exists('/run/redis')")).toBe(false);
    expect((await page(web, "own.example.com", "/")).status).toBe(200);
    expect((await hw.plan(verify("web1"))).empty).toBe(true);
    expect(await ask(sites.other, "SET OWN:left behind")).toEqual(["+OK"]);
    await hw.run(deleteSite("other.example.com"));
    expect(await web.sh(`printf 'KEYS *\\n' | ${ADMIN}`)).not.toContain(sites.other.id);
    const accounts = await web.sh("cat /var/lib/redis/hostwright.acl | cut -d' ' -f2");
    expect(accounts.trim().split("\n").toSorted()).toEqual(
      ["default", "hostwright", "hostwright-site", sites.without.id].toSorted(),
    );
  });

  test("that is not there is refused as a plan", async () => {
    const { hw } = fleet;
    for (const [cache, code] of [
      ["web1:nothing", "HW_SERVICE_MISSING"],
      ["nowhere", "HW_NOT_FOUND"],
    ]) {
      await expect(hw.plan(configure("own.example.com", { bindings: { cache: cache ?? "" } }))).rejects.toMatchObject({
        code,
      });
    }
  });
});
