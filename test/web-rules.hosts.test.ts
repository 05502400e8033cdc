import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { configure, install, secret, verify, type SiteRecord } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diffListing } from "./hosts/listing.ts";
import { wordpressApp, type App } from "./support/apps.ts";
import { homeOf, putPlatform, startFleet, type Fleet } from "./support/fleet.ts";
import { installed } from "./support/figures.ts";
import { settledListing } from "./support/listing.ts";
import { page } from "./support/page.ts";
import { foundIn, foundInFolder } from "./support/secret-scan.ts";

const DOMAIN = "ruled.example.com";
const PASSWORD = "correct horse battery";

let fleet: Fleet;
let app: App;
let site: SiteRecord;
let before = "";

const status = async (path: string, user = ""): Promise<string> =>
  (
    await fleet.web.exec(
      ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %header{x-own}", "-H", `Host: ${DOMAIN}`].concat(
        user === "" ? [] : ["-u", user],
        `http://127.0.0.1${path}`,
      ),
    )
  ).stdout.trim();

/** Each task of a site leaves its number in its fence. */
const listingOf = async (): Promise<string> =>
  (await settledListing(fleet.web))
    .split("\n")
    .filter((line) => !line.includes("/var/lib/hostwright/fence/"))
    .join("\n");

beforeAll(async () => {
  app = await wordpressApp("6.8");
  fleet = await startFleet("one host");
  await putPlatform(fleet, app);
  await installed(fleet.hw, install(DOMAIN, { platform: app.name, options: app.site }));
  site = await fleet.hw.sites.get(DOMAIN);
  await page(fleet.web, DOMAIN, "/");
  before = await listingOf();
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  if (app !== undefined) await rm(dirname(app.source), { recursive: true, force: true });
});

describe("a site's own web rules", () => {
  const webRules = {
    redirects: [{ from: { prefix: "/blog/" }, to: "/", status: 308 as const }],
    headers: [{ name: "X-Own", value: "yes" }],
    denied: [{ prefix: "/wp-includes/css/" }],
    basicAuth: { realm: "Members", users: ["anna"] },
  };

  test("that lead in circles, or name a user without a password, are refused as a plan", async () => {
    const { hw } = fleet;
    const loop = configure(DOMAIN, { webRules: { redirects: [{ from: { exact: "/a" }, to: `http://${DOMAIN}/a` }] } });
    await expect(hw.plan(loop)).rejects.toMatchObject({ code: "HW_INPUT_INVALID", message: /"\/a" leads back/ });
    await expect(hw.plan(configure(DOMAIN, { webRules }))).rejects.toMatchObject({
      code: "HW_INPUT_INVALID",
      message: /anna has no password/,
    });
  });

  test("are shown as a diff without the password or its hash, and touch nothing before they are run", async () => {
    const { hw, stateDir } = fleet;
    await hw.sites.setPassword(DOMAIN, "anna", secret(PASSWORD));
    const plan = await hw.plan(configure(DOMAIN, { webRules }));
    expect(plan.render()).toContain("+ anna:<password hash of anna of ruled.example.com>");
    expect(plan.render()).toContain('add_header X-Own "yes" always;');
    expect(plan.render()).not.toContain("$6$");
    const secrets = { password: PASSWORD };
    expect(foundIn(plan.render() + JSON.stringify(plan), secrets)).toEqual([]);
    expect(Object.values(await foundInFolder(stateDir, secrets)).flat()).toEqual([]);
    expect(diffListing(before, await listingOf())).toBe("");
  });

  test("hold for visitors as soon as they are run, and verify finds nothing to do", async () => {
    const { hw, web } = fleet;
    await hw.run(configure(DOMAIN, { webRules }));
    const seen = {
      alone: await status("/"),
      anna: await status("/", `anna:${PASSWORD}`),
      wrong: await status("/", "anna:wrong horse battery"),
      redirect: await status("/blog/x"),
      denied: await status("/wp-includes/css/dashicons.min.css", `anna:${PASSWORD}`),
    };
    expect(seen).toEqual({
      alone: "401 yes",
      anna: "200 yes",
      wrong: "401 yes",
      redirect: "308 yes",
      denied: "404 yes",
    });
    expect((await hw.plan(verify(DOMAIN))).empty).toBe(true);
    expect((await hw.sites.get(DOMAIN)).webRules).toMatchObject(webRules);
    const file = `${homeOf(site)}/conf/web-passwords`;
    expect((await web.sh(`stat -c '%U %G %a' ${file}`)).trim()).toBe("root www-data 640");
    expect((await web.exec(["runuser", "-u", site.id, "--", "cat", file])).code).not.toBe(0);
    expect((await web.exec(["runuser", "-u", "www-data", "--", "cat", file])).stdout).toMatch(
      /^anna:\$6\$rounds=1000\$/,
    );
  });

  test("a new password holds after the next configure", async () => {
    const { hw } = fleet;
    await hw.sites.setPassword(DOMAIN, "anna", secret("another password"));
    expect((await hw.plan(verify(DOMAIN))).render()).not.toContain("$6$");
    await hw.run(configure(DOMAIN));
    expect([await status("/", `anna:${PASSWORD}`), await status("/", "anna:another password")]).toEqual([
      "401 yes",
      "200 yes",
    ]);
  });

  test("that the web server does not take are undone, on the server and in the record", async () => {
    const { hw, web } = fleet;
    const listing = await listingOf();
    await web.sh("echo 'no_such_directive on;' > /etc/nginx/conf.d/zz-broken.conf");
    const change = hw.run(configure(DOMAIN, { webRules: { headers: [], basicAuth: null } }));
    await expect(change).rejects.toMatchObject({ code: "HW_HTTP_FOREIGN_CONFIG", data: { state: "undone" } });
    await web.sh("rm /etc/nginx/conf.d/zz-broken.conf");
    expect(diffListing(listing, await listingOf())).toBe("");
    expect((await hw.sites.get(DOMAIN)).webRules).toMatchObject(webRules);
    expect(await status("/")).toBe("401 yes");
  });

  test("only the fields given change; taken back, they leave the server as it was", async () => {
    const { hw } = fleet;
    await hw.run(configure(DOMAIN, { webRules: { basicAuth: null } }));
    expect([await status("/"), await status("/blog/x")]).toEqual(["200 yes", "308 yes"]);
    await hw.run(
      configure(DOMAIN, { webRules: { redirects: [], headers: [], denied: [], allowFrom: ["192.0.2.0/24"] } }),
    );
    expect(await status("/")).toBe("403");
    await hw.run(configure(DOMAIN, { webRules: { allowFrom: [] } }));
    expect(await status("/")).toBe("200");
    expect(diffListing(before, await listingOf())).toBe("");
  });
});
