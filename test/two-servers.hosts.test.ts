import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { install, verify, type SiteRecord } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diffListing } from "./hosts/listing.ts";
import { wordpressApp, type App } from "./support/apps.ts";
import { homeOf, putPlatform, roundTrips, startFleet, type Fleet } from "./support/fleet.ts";
import { figure, installed } from "./support/figures.ts";
import { settledListing, writeTimes } from "./support/listing.ts";
import { page } from "./support/page.ts";
import { hostListings, lifeSuite, siteSuite } from "./support/site-suite.ts";
import { client } from "./support/tested-mysql.ts";

let fleet: Fleet;
let app: App;
let first: SiteRecord;
let second: SiteRecord;
let before = "";

const request = (domain: string): ReturnType<typeof install> =>
  install(domain, { platform: app.name, options: app.site, title: `Title of ${domain}`, aliases: [`www.${domain}`] });

beforeAll(async () => {
  app = await wordpressApp("6.8");
  fleet = await startFleet("two hosts");
  const { hw, web } = fleet;
  await putPlatform(fleet, app);
  const made = await installed(hw, request("first.example.com"));
  figure("first install on two empty hosts, seconds", made.seconds);
  figure("  of it Hostwright's own, ms", made.ownMs);
  await web.sh("rm /etc/nginx/sites-enabled/default && systemctl restart nginx");
  before = await hostListings(fleet);
  const next = await installed(hw, request("second.example.com"));
  figure("next install, seconds", next.seconds);
  figure("  of it Hostwright's own, ms", next.ownMs);
  first = await hw.sites.get("first.example.com");
  second = await hw.sites.get("second.example.com");
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  if (app !== undefined) await rm(dirname(app.source), { recursive: true, force: true });
});

describe("web and database on two hosts", () => {
  const counts = async (): Promise<string> =>
    (await fleet.hw.connections())
      .map(({ name, stats }) => `${name} ${stats.connections}`)
      .toSorted()
      .join(", ");

  test("each host does its own part, over one connection each", async () => {
    expect(await counts()).toBe("db1 1, web1 1");
    const { web, database } = fleet;
    const at = async (host: typeof web): Promise<string> =>
      host.sh(`ls -d /srv/sites/${first.id} /var/lib/mysql/${first.id} 2>/dev/null || true`);
    expect([await at(web), await at(database)]).toEqual([`/srv/sites/${first.id}\n`, `/var/lib/mysql/${first.id}\n`]);
    const config = await web.sh(`cat ${homeOf(first)}/conf/settings.php`);
    expect(config).toContain(`define('DB_HOST', '${database.address}:3306');`);
  });

  test("the database answers the site's own host only, and each account its own database only", async () => {
    const { web, database } = fleet;
    const account = `select concat(user, '@', host) from mysql.user where user in ('${first.id}', '${second.id}') order by 1`;
    const expected = [first, second].map(({ id }) => `${id}@${web.address}`).toSorted();
    expect((await database.sh(`${client} -N`, { input: account })).trim().split("\n")).toEqual(expected);
    const ask = `foreach (array_slice($argv, 2) as $name) {
      mysqli_report(MYSQLI_REPORT_OFF); $c = mysqli_init(); $config = file_get_contents("/srv/sites/$argv[1]/conf/settings.php");
      preg_match("/DB_PASSWORD', '([^']+)'/", $config, $found);
      echo @$c->real_connect("${database.address}", $argv[1], $found[1], $name) ? "in" : $c->connect_errno, "\\n"; }`;
    const answers = await web.sh(
      `php -r '${ask.replaceAll("'", `'\\''`)}' ${first.id} ${first.id} ${second.id} mysql ''`,
    );
    expect(answers.trim().split("\n")).toEqual(["in", "1044", "1044", "in"]);
  });

  test("all stands as wanted, and verifying writes nothing on either host", async () => {
    const { hw, web, database } = fleet;
    for (const { domain } of [first, second]) await page(web, domain, "/");
    const state = async (): Promise<readonly string[]> => [
      await settledListing(web),
      await settledListing(database),
      await writeTimes(web),
      await writeTimes(database),
    ];
    const was = await state();
    const trips = await roundTrips(hw);
    for (const alias of ["@web1", "@db1", `@${app.name}`, first.domain, second.domain]) {
      const started = performance.now();
      const plan = await hw.plan(verify(alias));
      figure(`verify ${alias}, ms`, Math.round(performance.now() - started));
      expect([alias, plan.empty]).toEqual([alias, true]);
    }
    figure("round trips of these five", (await roundTrips(hw)) - trips);
    for (const [index, now] of (await state()).entries()) expect(diffListing(was[index] ?? "", now)).toBe("");
    expect((await hw.plan(request(first.domain))).empty).toBe(true);
  });
});

siteSuite("WordPress with its database elsewhere", () => ({ fleet, app, site: second, neighbour: first }));
lifeSuite(
  "WordPress with its database elsewhere",
  () => ({ fleet, app, site: second, neighbour: first }),
  () => before,
);

test("the neighbour still answers after all of it", async () => {
  const { status, title } = await page(fleet.web, first.domain, "/");
  expect([status, title]).toEqual([200, "Title of first.example.com"]);
  for (const alias of ["@web1", "@db1"]) expect((await fleet.hw.plan(verify(alias))).empty).toBe(true);
});
