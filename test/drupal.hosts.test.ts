import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { install, verify, type SiteRecord } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drupalApp, drupalCodebases, type App } from "./support/apps.ts";
import { putPlatform, startFleet, type Fleet } from "./support/fleet.ts";
import { figure, installed } from "./support/figures.ts";
import { follow, page } from "./support/page.ts";
import { hostListings, lifeSuite, loginUrl, siteSuite } from "./support/site-suite.ts";

const reason = drupalCodebases.length > 0 ? "" : " (skipped: it names none)";

test.skipIf(drupalCodebases.length === 0)(`HOSTWRIGHT_TEST_DRUPAL names codebases of Drupal${reason}`, () => {
  for (const folder of drupalCodebases)
    expect([folder, existsSync(`${folder}/web/core/lib/Drupal.php`)]).toEqual([folder, true]);
});

describe.each(drupalCodebases)("Drupal from %s", (source) => {
  const name = `drupal-${basename(source)}`;
  let fleet: Fleet;
  let app: App;
  let first: SiteRecord;
  let second: SiteRecord;
  let before = "";

  const request = (domain: string): ReturnType<typeof install> =>
    install(domain, { platform: app.name, options: app.site, title: `Title of ${domain}`, aliases: [`www.${domain}`] });

  beforeAll(async () => {
    app = await drupalApp(source, name);
    fleet = await startFleet("one host");
    const { hw, web } = fleet;
    await putPlatform(fleet, app);
    const made = await installed(hw, request("first.example.com"));
    figure(`${name}: first install on an empty host, seconds`, made.seconds);
    figure("  of it Hostwright's own, ms", made.ownMs);
    await web.sh("rm /etc/nginx/sites-enabled/default && systemctl restart nginx");
    // Drupal makes tables for sessions and refused logins when they are first needed; the neighbour has them now.
    const link = await loginUrl(fleet, await hw.sites.get("first.example.com"));
    for (const _time of ["accepted", "refused"]) await follow(web, link);
    before = await hostListings(fleet);
    const next = await installed(hw, request("second.example.com"));
    figure(`${name}: next install, seconds`, next.seconds);
    figure("  of it Hostwright's own, ms", next.ownMs);
    first = await hw.sites.get("first.example.com");
    second = await hw.sites.get("second.example.com");
    await web.sh(`systemctl stop hostwright-php-${second.id}.service 2>/dev/null`);
    figure("  first page of a stopped PHP, ms", (await page(web, second.domain, "/")).ms);
    figure("  next page, ms", (await page(web, second.domain, "/")).ms);
  });

  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
    if (app !== undefined) await rm(dirname(app.source), { recursive: true, force: true });
  });

  test("all stands as wanted", async () => {
    for (const alias of ["@web1", `@${name}`, first.domain, second.domain]) {
      const started = performance.now();
      const plan = await fleet.hw.plan(verify(alias));
      figure(`verify ${alias}, ms`, Math.round(performance.now() - started));
      expect([alias, plan.render(), plan.value.problems]).toEqual([
        alias,
        expect.stringContaining("nothing to do"),
        [],
      ]);
    }
    expect((await fleet.hw.plan(request(first.domain))).empty).toBe(true);
  });

  test("aggregated style sheets are made by PHP once and then come from the disk", async () => {
    const { body } = await page(fleet.web, second.domain, "/");
    const sheet = /href="(\/sites\/default\/files\/css\/[^"]+)"/.exec(body)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect(sheet).not.toBe("");
    const [made, again] = [await page(fleet.web, second.domain, sheet), await page(fleet.web, second.domain, sheet)];
    figure("  style sheet made and from disk, ms", `${made.ms} and ${again.ms}`);
    expect([made.status, again.status, made.body === again.body]).toEqual([200, 200, true]);
    await fleet.web.sh(`systemctl stop hostwright-php-${second.id}.service 2>/dev/null`);
    expect((await page(fleet.web, second.domain, sheet)).status).toBe(200);
    expect((await fleet.web.exec(["systemctl", "is-active", `hostwright-php-${second.id}.service`])).stdout).toBe(
      "inactive\n",
    );
  });

  siteSuite(name, () => ({ fleet, app, site: second, neighbour: first }));
  lifeSuite(
    name,
    () => ({ fleet, app, site: second, neighbour: first }),
    () => before,
  );

  test("the neighbour still answers after all of it", async () => {
    const { status, title } = await page(fleet.web, first.domain, "/");
    expect([status, title]).toEqual([200, expect.stringContaining("Title of first.example.com")]);
  });
});
