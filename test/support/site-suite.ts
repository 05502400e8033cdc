import { deleteSite, disable, enable, loginLink, Secret, verify, type SiteRecord } from "@hostwright/core";
import { describe, expect, test } from "vitest";
import { diffListing } from "../hosts/listing.ts";
import { BAIT, type App } from "./apps.ts";
import { upload } from "./as-site.ts";
import { homeOf, runSql, type Fleet } from "./fleet.ts";
import { settledListing } from "./listing.ts";
import { all, follow, page, statuses, type Answer } from "./page.ts";

/** An installed site with the alias `www.<domain>`, as a visitor meets it. */
export interface Subject {
  readonly fleet: Fleet;
  readonly app: App;
  readonly site: SiteRecord;
  /** Another one on the same server. */
  readonly neighbour: SiteRecord;
}

const SOURCE = "source-mark-51c2";
/** What it prints when it is run, and its source, both hold the mark. */
const SCRIPT = `<?php echo '${SOURCE}-' . (6 * 7);`;

/** Without `LEAKS`: nothing of what is looked for came along. */
const REFUSED: unknown = expect.stringMatching(/^(30[12]|40[0-9])$/);

/** A new login link of a site. */
export async function loginUrl({ hw }: Fleet, site: SiteRecord): Promise<string> {
  const { loginLink: link } = await hw.run(loginLink(site.domain));
  return link instanceof Secret ? link.reveal() : "";
}

/** What any application's site must do and must refuse, fetched for real. */
export function siteSuite(name: string, subject: () => Subject): void {
  const get = async (path: string): Promise<Answer> => page(subject().fleet.web, subject().site.domain, path);
  const table = async (paths: readonly string[], mark = BAIT): Promise<Record<string, string>> =>
    statuses(subject().fleet.web, subject().site.domain, paths, mark);

  describe(`${name}: what a visitor gets`, () => {
    test("the front page with the site's title, and a style sheet that it names", async () => {
      const { site } = subject();
      const front = await get("/");
      expect([front.status, front.title]).toEqual([200, expect.stringContaining(site.title)]);
      const sheets = [...front.body.matchAll(/<link[^>]+rel=['"]stylesheet['"][^>]*>/g)]
        .map(
          ([tag]) => /href=['"]([^'"]+)['"]/.exec(tag)?.[1]?.replaceAll("&amp;", "&").replaceAll("&#038;", "&") ?? "",
        )
        .map((href) => href.replace(`http://${site.domain}`, ""));
      expect(sheets.length).toBeGreaterThan(0);
      for (const sheet of sheets)
        expect([sheet, (await get(sheet)).type]).toEqual([sheet, expect.stringContaining("text/css")]);
    });

    test("static files of the release and of the site, byte for byte", async () => {
      const { fleet, site, app } = subject();
      await upload(fleet.web, site, `${app.uploads}/a b.txt`, "from the site's own folder");
      const own = await get(`${app.uploads}/a%20b.txt`);
      expect([own.status, own.body]).toEqual([200, "from the site's own folder"]);
      const [first, again] = [await get(app.staticFile), await get(app.staticFile)];
      expect([first.status, first.body.length > 500, first.body === again.body]).toEqual([200, true, true]);
    });

    test("aliases send to the domain, with path and query", async () => {
      const { fleet, site } = subject();
      const path = "/a%20b/c?d=e%2Ff&g=%C3%BC";
      const { status, location } = await page(fleet.web, `www.${site.domain}`, path);
      expect([status, location]).toEqual([301, `http://${site.domain}${path}`]);
    });

    test("challenges of certificate authorities, by every name and nothing else that lies near", async () => {
      const { fleet, site } = subject();
      await fleet.web.sh(
        "cd /var/lib/hostwright-acme && echo challenge-text > token-1 && chmod 644 token-1 && ln -sf /etc/passwd token-2",
      );
      const path = "/.well-known/acme-challenge/";
      for (const domain of [site.domain, `www.${site.domain}`]) {
        const told = await page(fleet.web, domain, `${path}token-1`);
        expect([domain, told.status, told.body]).toEqual([domain, 200, "challenge-text\n"]);
        expect(await statuses(fleet.web, domain, [`${path}token-2`, `${path}token-3`], "root:")).toEqual({
          [`${path}token-2`]: expect.stringMatching(/^40[34]$/),
          [`${path}token-3`]: "404",
        });
      }
      await fleet.web.sh("rm /var/lib/hostwright-acme/token-1 /var/lib/hostwright-acme/token-2");
    });
  });

  describe(`${name}: what is refused`, () => {
    test("version control, dumps, manifests, settings, dotfiles, although they lie there", async () => {
      const { app } = subject();
      expect(await table([app.open])).toEqual({ [app.open]: "200 LEAKS" });
      expect(await table(app.denied)).toEqual(all(app.denied, "404"));
    });

    test("the same in the folder of uploads", async () => {
      const { fleet, site, app } = subject();
      const names = [
        ".git/config",
        ".env",
        "dump.sql",
        "x.sql.gz",
        "composer.json",
        ".htpasswd",
        "a.bak",
        "b~",
        "sub/.svn/entries",
      ];
      for (const name of [...names, "open.txt"]) await upload(fleet.web, site, `${app.uploads}/${name}`, BAIT);
      const paths = names.map((name) => `${app.uploads}/${name}`);
      expect(await table([`${app.uploads}/open.txt`])).toEqual({ [`${app.uploads}/open.txt`]: "200 LEAKS" });
      expect(await table(paths)).toEqual(all(paths, "404"));
    });

    test("settings and private files, however their path is written", async () => {
      const { fleet, site, app } = subject();
      const home = homeOf(site);
      await upload(fleet.web, site, "/../private/secret.txt", BAIT);
      await upload(fleet.web, site, `${app.uploads}/near.txt`, "near");
      const up = `${app.uploads}${"/..".repeat(app.uploads.split("/").length)}`;
      const spellings = ["private/secret.txt", `conf/${app.settings}`].flatMap((path) => [
        `/${path}`,
        `/../${path}`,
        `${up}/${path}`,
        `${up}/${path}`.replaceAll("..", "%2e%2e"),
        `${up}/${path}`.replaceAll("/..", "%2f.."),
        `${up}/${path}`.replaceAll("..", "..;"),
        `//${path}`,
        `${home}/${path}`,
        `${app.uploads}../../${path}`,
        `${app.uploads}../${path}`,
      ]);
      const refused = all(spellings, REFUSED);
      expect(await table(spellings)).toEqual(refused);
      expect(await table(spellings, "DB_PASSWORD")).toEqual(refused);
      expect(await fleet.web.sh(`cat ${home}/private/secret.txt`)).toBe(BAIT);
    });

    test("PHP among uploads: neither run nor shown", async () => {
      const { fleet, site, app } = subject();
      const folder = app.uploads;
      const names = [
        "x.php",
        "X.PHP",
        "x.pHp",
        "x.phtml",
        "x.php5",
        "x.phar",
        "sub/index.php",
        "css/x.php",
        "php/x.php",
        "x.inc",
      ];
      for (const name of [...names, "pic.jpg"]) await upload(fleet.web, site, `${folder}/${name}`, SCRIPT);
      const paths = names.map((name) => `${folder}/${name}`);
      expect(await table(paths, SOURCE)).toEqual(all(paths, "404"));
      const picture = await get(`${folder}/pic.jpg`);
      expect([picture.status, picture.body]).toEqual([200, SCRIPT]);
    });

    test("tricks with a path behind a script", async () => {
      const { app } = subject();
      const folder = app.uploads;
      const tricks = [
        ...["/x.php", "/.php", "/index.php", "%00.php", "%00x.php", "%0a.php", "/a/b.php", "/%2e%2e/pic.jpg/x.php"].map(
          (tail) => `${folder}/pic.jpg${tail}`,
        ),
        ...["/pic.jpg", "/", "%00", "%0a", "%20", ".", "%2e", "/.", "::$DATA", ";.jpg", "%00.jpg", "?/pic.jpg"].map(
          (tail) => `${folder}/x.php${tail}`,
        ),
        `/index.php/..${folder}/x.php`,
        `/index.php/%2e%2e${folder}/x.php`,
        `/${folder}/x.php`,
        `${folder}//x.php`,
        `${folder}/./x.php`,
        `${folder}/%78.php`,
        `${folder}/x%2ephp`,
        `${folder}/sub/`,
        `${folder}/sub`,
      ];
      expect(await table(tricks, SOURCE)).toEqual(all(tricks, REFUSED));
    });

    test("scripts of the code that are no entry points, also with a path behind them", async () => {
      const { closedScripts } = subject().app;
      const paths = closedScripts.flatMap((script) => [script, `${script}/x`, `${script}/x.css`]);
      expect(await table(paths)).toEqual(all(paths, "404"));
    });
  });

  describe(`${name}: its administrator`, () => {
    test("is logged in by a login link, once and only once", async () => {
      const { fleet, site, app } = subject();
      const link = await loginUrl(fleet, site);
      const admin = async (cookies: readonly string[]): Promise<number> =>
        (await page(fleet.web, site.domain, app.adminPage, { cookies })).status;
      const first = await follow(fleet.web, link);
      expect([first.status, await admin(first.cookies)]).toEqual([302, 200]);
      const second = await follow(fleet.web, link);
      expect([await admin(second.cookies), await admin([])].map((status) => status === 200)).toEqual([false, false]);
    });

    test("is not logged in by a link that is over, changed or another site's", async () => {
      const { fleet, site, neighbour, app } = subject();
      const link = await loginUrl(fleet, site);
      const elsewhere = await follow(fleet.web, link.replace(site.domain, neighbour.domain));
      expect((await page(fleet.web, neighbour.domain, app.adminPage, { cookies: elsewhere.cookies })).status).not.toBe(
        200,
      );
      const changed = link.replace(/[0-9A-Za-z](?=\/?(?:login)?$)/, (last) => (last === "a" ? "b" : "a"));
      expect(changed).not.toBe(link);
      await runSql(fleet, site, app.endLinks[fleet.pair.db] ?? "");
      const lets = async (url: string): Promise<boolean> => {
        const { cookies } = await follow(fleet.web, url);
        return (await page(fleet.web, site.domain, app.adminPage, { cookies })).status === 200;
      };
      expect({ changed: await lets(changed), over: await lets(link) }).toEqual({ changed: false, over: false });
    });
  });
}

/** Switching a site off and on, and taking it away; the last of a subject's tests. */
export function lifeSuite(name: string, subject: () => Subject, before: () => string): void {
  const units = async (): Promise<string> => {
    const { fleet, site } = subject();
    const unit = `hostwright-php-${site.id}`;
    const states = await fleet.web.exec(["systemctl", "is-active", `${unit}.socket`, `${unit}.service`]);
    const { code } = await fleet.web.exec(["pgrep", "-U", String(site.uid)]);
    return `${states.stdout.trim().replaceAll("\n", " ")}, ${code === 0 ? "processes" : "no process"}`;
  };

  describe(`${name}: its life`, () => {
    test("disabled it answers 503 everywhere and runs nothing; enabled it is as before", async () => {
      const { fleet, site, app } = subject();
      const { hw, web } = fleet;
      await page(web, site.domain, "/");
      expect(await units()).toBe("active active, processes");
      await hw.run(disable(site.domain));
      const shut = await page(web, site.domain, "/");
      expect([shut.status, await units()]).toEqual([503, "inactive inactive, no process"]);
      const paths = [app.staticFile, `${app.uploads}/open.txt`, "/index.php", app.denied[0] ?? ""];
      expect(await statuses(web, site.domain, paths, BAIT)).toEqual(all(paths, "503"));
      expect((await hw.plan(disable(site.domain))).empty).toBe(true);
      expect((await hw.plan(verify(site.domain))).empty).toBe(true);
      await hw.run(enable(site.domain));
      const back = await page(web, site.domain, "/");
      expect([back.status, back.title]).toEqual([200, expect.stringContaining(site.title)]);
      expect((await hw.plan(enable(site.domain))).empty).toBe(true);
    });

    test("deleted it leaves its hosts as they were before it was installed", async () => {
      const { fleet, site } = subject();
      await fleet.hw.run(deleteSite(site.domain));
      expect((await page(fleet.web, site.domain, "/")).status).toBe(404);
      expect(diffListing(before(), await hostListings(fleet))).toBe("");
      await expect(fleet.hw.sites.get(site.domain)).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
    });
  });
}

/** What all hosts of an fleet hold. */
export async function hostListings({ web, database }: Fleet): Promise<string> {
  const hosts = web === database ? [web] : [web, database];
  const listings = await Promise.all(
    hosts.map(async (host) =>
      (await settledListing(host)).split("\n").map((line) => line.replace(" ", ` ${host.name}:`)),
    ),
  );
  return listings.flat().join("\n");
}
