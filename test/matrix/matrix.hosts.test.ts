import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { install, verify, type SiteRecord } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { App } from "../support/apps.ts";
import { putPlatform, removeStockSite, startFleet, type Fleet } from "../support/fleet.ts";
import { isolationSuite } from "../support/isolation-suite.ts";
import { follow, page } from "../support/page.ts";
import { rulesSuite } from "../support/rules-suite.ts";
import { hostListings, lifeSuite, loginUrl, siteSuite, type Subject } from "../support/site-suite.ts";
import { cells } from "./cells.ts";

const FIRST = "first.example.com";
const SECOND = "second.example.com";

test("there are cells to try", () => expect(cells.length).toBeGreaterThan(0));

for (const { name } of cells.filter(({ app }) => app === null))
  test.skip(`${name}: HOSTWRIGHT_TEST_DRUPAL names no codebase of Drupal`, () => undefined);

/** Every cell is held to the same list, whatever its web server, database server and platform. */
describe.each(cells.filter(({ app }) => app !== null))("$name", ({ app: code, http, db }) => {
  let fleet: Fleet;
  let app: App;
  let first: SiteRecord;
  let second: SiteRecord;
  let before = "";
  let advised: unknown;

  const subject = (): Subject => ({ fleet, app, site: second, neighbour: first });
  const request = (domain: string): ReturnType<typeof install> =>
    install(domain, { platform: app.name, options: app.site, title: `Title of ${domain}`, aliases: [`www.${domain}`] });

  beforeAll(async () => {
    if (code === null) throw new Error("a cell without a codebase is skipped");
    app = await code();
    fleet = await startFleet("one host", { http, db });
    const { hw, web } = fleet;
    await putPlatform(fleet, app);
    await hw.run(request(FIRST));
    first = await hw.sites.get(FIRST);
    advised = (await hw.plan(verify("@web1"))).value.problems;
    await removeStockSite(fleet);
    // Applications make tables for sessions and refused logins when they are first needed; the neighbour has them now.
    const link = await loginUrl(fleet, first);
    for (const _time of ["accepted", "refused"]) await follow(web, link);
    await page(web, FIRST, "/");
    before = await hostListings(fleet);
    await hw.run(request(SECOND));
    second = await hw.sites.get(SECOND);
  });

  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
    if (app !== undefined) await rm(dirname(app.source), { recursive: true, force: true });
  });

  const whole = async (): Promise<void> => {
    expect((await fleet.hw.plan(request(SECOND))).render()).toContain("nothing to do");
    for (const alias of ["@web1", `@${app.name}`, FIRST, SECOND]) {
      const plan = await fleet.hw.plan(verify(alias));
      expect([alias, plan.render(), plan.value.problems]).toEqual([
        alias,
        expect.stringContaining("nothing to do"),
        [],
      ]);
    }
  };

  test("all stands as wanted: the plans of install and verify are empty", whole);

  test("before, verify advised one thing: that Debian's stock site goes", () =>
    expect(advised).toEqual([expect.objectContaining({ remedy: expect.stringContaining("stock site") as unknown })]));

  test("names that nobody has get a neutral answer", async () => {
    for (const domain of ["nobody.example.com", fleet.web.address, `x.${SECOND}`]) {
      const { status, body } = await page(fleet.web, domain, "/");
      expect([domain, status, body.includes("Title of")]).toEqual([domain, 404, false]);
    }
  });

  siteSuite("a site", subject);
  rulesSuite("a site", subject);
  isolationSuite("a site", subject);

  test("after all that was tried, all still stands as wanted", whole);

  lifeSuite("a site", subject, () => before);

  test("its neighbour still answers", async () => {
    const { status, title } = await page(fleet.web, FIRST, "/");
    expect([status, title]).toEqual([200, expect.stringContaining(`Title of ${FIRST}`)]);
    expect((await fleet.hw.plan(verify("@web1"))).empty).toBe(true);
  });
});
