import { install, prepare, verify } from "@hostwright/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wordpressApp } from "./support/apps.ts";
import { putPlatform, startFleet, type Fleet } from "./support/fleet.ts";
import { offerPackages } from "./support/local-repository.ts";
import { page } from "./support/page.ts";

let fleet: Fleet;
const MISSING = ["php8.4-fpm", "php8.4-intl"];

beforeAll(async () => {
  fleet = await startFleet("one host");
  const { web } = fleet;
  await web.sh("mv /etc/php/8.4/fpm/pool.d/www.conf.disabled /etc/php/8.4/fpm/pool.d/www.conf");
  await offerPackages(web, MISSING);
});

afterAll(async () => {
  await fleet[Symbol.asyncDispose]();
});

test("verify names what is missing and installs nothing; an install is refused", async () => {
  const { hw, web } = fleet;
  const found = await hw.plan(verify("web1"));
  expect(JSON.stringify(found.value.problems)).toContain(MISSING.join(", "));
  const app = await wordpressApp("6.8");
  await putPlatform(fleet, app);
  await expect(hw.run(install("a.example.com", { platform: app.name, options: app.site }))).rejects.toMatchObject({
    code: "HW_PREREQUISITE_MISSING",
    message: expect.stringContaining(MISSING.join(", ")),
    remedy: expect.stringContaining("task `prepare`"),
  });
  expect((await web.exec(["test", "-e", "/usr/sbin/php-fpm8.4"])).code).not.toBe(0);
});

test("prepare installs the packages, stops the stock pool that came with them, and a site can be installed", async () => {
  const { hw, web } = fleet;
  expect(await hw.run(prepare("web1"))).toMatchObject({ packages: MISSING });
  expect((await web.sh("dpkg-query -W -f '${db:Status-Status}' php8.4-fpm")).trim()).toBe("installed");
  expect((await web.exec(["systemctl", "is-active", "php8.4-fpm.service"])).stdout.trim()).toBe("inactive");
  expect((await web.exec(["systemctl", "is-enabled", "php8.4-fpm.service"])).stdout.trim()).toBe("disabled");
  // Taken off and put on alone, php-fpm does not find the modules that were there before it.
  await web.sh("cd /etc/php/8.4/mods-available && phpenmod -v 8.4 -s fpm $(ls *.ini | sed 's/[.]ini$//')");
  const app = await wordpressApp("6.8");
  await hw.run(install("a.example.com", { platform: app.name, options: app.site }));
  expect((await page(web, "a.example.com", "/")).status).toBe(200);
});

test("prepare of a prepared server is an empty plan", async () => {
  expect((await fleet.hw.plan(prepare("web1"))).actions).toEqual([]);
});

test("prepare goes on where one that was stopped in the middle of a package left it", async () => {
  const { hw, web } = fleet;
  // What dpkg had not yet taken up when it was killed: apt does nothing until that is done.
  await web.sh("dpkg --purge php8.4-intl; dpkg-query -s adduser > /var/lib/dpkg/updates/0000");
  expect(await hw.run(prepare("web1"))).toMatchObject({ packages: ["php8.4-intl"] });
  expect((await web.sh("dpkg-query -W -f '${db:Status-Status}' php8.4-intl")).trim()).toBe("installed");
});
