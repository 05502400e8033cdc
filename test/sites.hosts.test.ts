import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { install, isHostwrightError, prepare, verify, type SiteRecord } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diffListing } from "./hosts/listing.ts";
import { wordpressApp, type App } from "./support/apps.ts";
import { putPlatform, roundTrips, startFleet, type Fleet } from "./support/fleet.ts";
import { figure, installed } from "./support/figures.ts";
import { settledListing, writeTimes } from "./support/listing.ts";
import { page } from "./support/page.ts";
import { hostListings, lifeSuite, siteSuite } from "./support/site-suite.ts";

const SITES = 10;
const domainOf = (number: number): string => `site${number}.example.com`;

let fleet: Fleet;
let apps: { readonly "6.1": App; readonly "6.8": App };
let sites: readonly SiteRecord[] = [];
let tripsWithOne = 0;

/** Odd sites are on the newer platform. */
const appOf = (number: number): App => apps[number % 2 === 1 ? "6.8" : "6.1"];
const siteOf = (number: number): SiteRecord => sites[number - 1] as SiteRecord;

function request(number: number): ReturnType<typeof install> {
  const domain = domainOf(number);
  const { name, site } = appOf(number);
  return install(domain, { platform: name, options: site, title: `Site number ${number}`, aliases: [`www.${domain}`] });
}

async function tripsOf(
  alias: string,
): Promise<{ readonly trips: number; readonly ms: number; readonly empty: boolean }> {
  const before = await roundTrips(fleet.hw);
  const started = performance.now();
  const plan = await fleet.hw.plan(verify(alias));
  return {
    trips: (await roundTrips(fleet.hw)) - before,
    ms: Math.round(performance.now() - started),
    empty: plan.empty,
  };
}

beforeAll(async () => {
  apps = { "6.1": await wordpressApp("6.1"), "6.8": await wordpressApp("6.8") };
  fleet = await startFleet("one host");
  const { hw } = fleet;
  await putPlatform(fleet, apps["6.8"]);
  const first = await installed(hw, request(1));
  figure("first install on an empty host, seconds", first.seconds);
  figure("  of it Hostwright's own, ms", first.ownMs);
  figure("first page, ms", (await page(fleet.web, domainOf(1), "/")).ms);
  tripsWithOne = (await tripsOf("@web1")).trips;

  await putPlatform(fleet, apps["6.1"]);
  const started = performance.now();
  {
    await using _worker = hw.work({ concurrency: 4 });
    const numbers = Array.from({ length: SITES - 1 }, (_, index) => index + 2);
    const tasks = await Promise.all(numbers.map(async (number) => hw.submit(request(number))));
    await Promise.all(tasks.map(async (task) => task.result()));
  }
  figure(`${SITES - 1} more installs through hw.work(), seconds`, Math.round((performance.now() - started) / 100) / 10);
  sites = await Promise.all(Array.from({ length: SITES }, async (_, index) => hw.sites.get(domainOf(index + 1))));
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  for (const app of Object.values(apps ?? {})) await rm(dirname(app.source), { recursive: true, force: true });
});

describe("ten sites of two platforms on one host", () => {
  test("each answers with its own title, from its own platform", async () => {
    for (const [index, site] of sites.entries()) {
      const { status, title, body } = await page(fleet.web, site.domain, "/");
      const version = /<meta name="generator" content="WordPress (\d+\.\d+)/.exec(body)?.[1];
      expect([status, title, version]).toEqual([200, site.title, index % 2 === 0 ? "6.8" : "6.1"]);
      expect(title).toBe(`Site number ${index + 1}`);
    }
  });

  test("names that nobody has get a neutral answer, once Debian's stock site is gone as verify advises", async () => {
    const { hw, web } = fleet;
    const advised = (await hw.plan(verify("@web1"))).value.problems;
    expect(advised).toEqual([
      expect.objectContaining({ remedy: expect.stringContaining("rm /etc/nginx/sites-enabled/default") }),
    ]);
    await web.sh("rm /etc/nginx/sites-enabled/default && systemctl restart nginx");
    for (const domain of ["nobody.example.com", web.address, `x.${domainOf(1)}`])
      expect([domain, (await page(web, domain, "/")).status]).toEqual([domain, 404]);
  });

  test("all stands as wanted: the plans of install and verify are empty", async () => {
    for (const number of [1, 2]) expect((await fleet.hw.plan(request(number))).render()).toContain("nothing to do");
    const aliases = [`@${domainOf(1)}`, `@${domainOf(2)}`, "@wordpress-6.8", "@wordpress-6.1", "@web1"];
    for (const alias of aliases) {
      const plan = await fleet.hw.plan(verify(alias));
      expect([alias, plan.empty, plan.value.problems]).toEqual([alias, true, []]);
    }
    const { pages } = (await fleet.hw.plan(verify(domainOf(3)))).value;
    const seen = { domain: domainOf(3), server: "web1", status: 200, title: "Site number 3", ms: expect.any(Number) };
    expect(pages).toEqual([seen]);
  });

  test("verifying the server takes as many round trips as with one site", async () => {
    const { trips, ms, empty } = await tripsOf("@web1");
    figure("round trips of verify @web1, with 1 and 10 sites", `${tripsWithOne} and ${trips}`);
    figure("verify @web1 with 10 sites, ms", ms);
    figure("verify of one site, ms", (await tripsOf(domainOf(1))).ms);
    expect([trips, empty]).toEqual([tripsWithOne, true]);
  });

  test("no session of ours is left at the database server", async () => {
    const asked = "select count(*) from information_schema.processlist where user = 'root' and id <> connection_id()";
    await expect.poll(async () => fleet.database.sh("mariadb -N", { input: asked })).toBe("0\n");
  });

  test("verifying writes nothing on the server", async () => {
    const { hw, web } = fleet;
    for (const { domain } of sites) await page(web, domain, "/");
    const [listing, times] = [await settledListing(web), await writeTimes(web)];
    for (const alias of ["@web1", "@wordpress-6.8", ...sites.map((site) => site.domain)]) await hw.run(verify(alias));
    expect(await writeTimes(web)).toBe(times);
    expect(diffListing(listing, await settledListing(web))).toBe("");
  });

  test("verifying finds what somebody changed, and puts it right", async () => {
    const { hw, web } = fleet;
    const entry = `/etc/hostwright/nginx/entries/${siteOf(4).id}.conf`;
    const listing = await settledListing(web);
    await web.sh(`echo '# by hand' >> ${entry}; chmod 755 /srv/sites/${siteOf(5).id}/private`);
    const plan = await hw.plan(verify("@web1"));
    expect([plan.empty, plan.render()]).toEqual([false, expect.stringContaining("-# by hand")]);
    await hw.run(plan);
    expect(diffListing(listing, await settledListing(web))).toBe("");
  });
});

siteSuite("WordPress 6.8", () => ({ fleet, app: appOf(1), site: siteOf(1), neighbour: siteOf(3) }));
siteSuite("WordPress 6.1", () => ({ fleet, app: appOf(2), site: siteOf(2), neighbour: siteOf(4) }));

describe("an eleventh site", () => {
  let site: SiteRecord;
  let before = "";

  beforeAll(async () => {
    before = await hostListings(fleet);
    const eleventh = await installed(fleet.hw, request(11));
    figure("install beside ten sites, seconds", eleventh.seconds);
    figure("  of it Hostwright's own, ms", eleventh.ownMs);
    site = await fleet.hw.sites.get(domainOf(11));
  });

  lifeSuite(
    "WordPress",
    () => ({ fleet, app: appOf(11), site, neighbour: siteOf(1) }),
    () => before,
  );

  test("its neighbours answered all the time and still do", async () => {
    for (const { domain, title } of sites) {
      const answer = await page(fleet.web, domain, "/");
      expect([answer.status, answer.title]).toEqual([200, title]);
    }
    expect((await fleet.hw.plan(verify("@web1"))).empty).toBe(true);
  });
});

describe("preparing the server", () => {
  const MISSING = "php8.4-intl";

  test("has nothing to do where every package is there", async () => {
    const plan = await fleet.hw.plan(prepare("web1"));
    expect([plan.empty, plan.value["packages"]]).toEqual([true, []]);
  });

  test("a missing package is named, and nothing is installed without it", async () => {
    await fleet.web.sh(`dpkg --purge --force-depends ${MISSING} 2>&1`);
    const error: unknown = await fleet.hw.plan(request(12)).catch((thrown: unknown) => thrown);
    if (!isHostwrightError(error)) throw error;
    expect([error.code, error.message]).toEqual(["HW_PREREQUISITE_MISSING", expect.stringContaining(MISSING)]);
    const { problems } = (await fleet.hw.plan(verify("@web1"))).value;
    expect(problems).toContainEqual(expect.objectContaining({ message: expect.stringContaining(MISSING) }));
  });

  test("fails with the package's name where it cannot be had, and harms nobody", async () => {
    await fleet.web.sh("mkdir -p /root/apt && mv /etc/apt/sources.list* /root/apt/");
    const failed = fleet.hw.run(prepare("web1"));
    await expect(failed).rejects.toMatchObject({
      code: "HW_PREREQUISITE_MISSING",
      message: expect.stringContaining(MISSING),
    });
    expect((await page(fleet.web, domainOf(1), "/")).status).toBe(200);
  });

  test("installs it by apt where it can be had", async () => {
    // The host has no way out: a package of the same name stands in, from a folder as apt's source.
    await fleet.web.sh(`mkdir -p /root/made/DEBIAN /root/source && cd /root
printf 'Package: ${MISSING}\\nVersion: 99\\nArchitecture: all\\nMaintainer: test <test@example.com>\\nDescription: stand-in\\n' > made/DEBIAN/control
dpkg-deb -b made source/made.deb
{ cat made/DEBIAN/control; printf 'Filename: ./made.deb\\nSize: %s\\nSHA256: %s\\n' $(stat -c %s source/made.deb) $(sha256sum < source/made.deb | cut -c1-64); } > source/Packages
echo 'deb [trusted=yes] file:/root/source ./' > /etc/apt/sources.list`);
    const plan = await fleet.hw.plan(prepare("web1"));
    expect(plan.render()).toContain(`install 1 packages: ${MISSING}`);
    await fleet.hw.run(plan);
    expect((await fleet.hw.plan(prepare("web1"))).empty).toBe(true);
  });
});
