import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { install, loginLink, verify, type HostwrightEvent, type InstallValue, type SiteRecord } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { delay } from "../packages/testing/src/containers/run.ts";
import { wordpressApp, type App } from "./support/apps.ts";
import { homeOf, putPlatform, startFleet, type Fleet } from "./support/fleet.ts";
import { figure, installed, type Installed } from "./support/figures.ts";
import { page } from "./support/page.ts";
import {
  filesOnHost,
  foundIn,
  foundInFolder,
  foundInJournal,
  watchHost,
  watchHub,
  type Sampled,
  type Secrets,
} from "./support/secret-scan.ts";
import { StateFolder } from "./support/state-folder.ts";

const DOMAIN = "secret.example.com";

let fleet: Fleet;
let app: App;
let site: SiteRecord;
let made: Installed<InstallValue>;
let secrets: Secrets;
let link = "";
let samples: { readonly web: Sampled; readonly database: Sampled; readonly hub: Sampled };
let scratch: string;

/** As they stand in the site's own settings on its host. */
async function settingsOf(record: SiteRecord): Promise<Record<string, string>> {
  const text = await fleet.web.sh(`cat ${homeOf(record)}/conf/settings.php`);
  const constants = [...text.matchAll(/^define\('(\w+)', '([^']+)'\);$/gm)].map(([, name, value]) => [
    name ?? "",
    value ?? "",
  ]);
  const secrets = constants.filter(([name]) => /PASSWORD|_KEY$|_SALT$/.test(name ?? ""));
  return Object.fromEntries(secrets.map(([name = "", value = ""]): [string, string] => [name, value]));
}

beforeAll(async () => {
  app = await wordpressApp("6.8");
  fleet = await startFleet("two hosts");
  scratch = await mkdtemp(join(tmpdir(), "hostwright-scan-"));
  const { hw, web, database } = fleet;
  await putPlatform(fleet, app);
  const stops = [await watchHost(web), await watchHost(database), await watchHub(join(scratch, "stop"))];
  // What the watchers must find: in a command line and in an environment, for a twentieth of a second.
  for (const host of [web, database])
    await host.sh("PLANTED=planted-environ-4d1e perl -e 'select undef,undef,undef,0.05' planted-cmdline-4d1e");
  const child = spawn("sleep", ["0.05"], { env: { PLANTED: "planted-environ-4d1e planted-cmdline-4d1e" } });
  await new Promise((resolve) => child.once("close", resolve));

  made = await installed(hw, install(DOMAIN, { platform: app.name, options: app.site, title: "Secrets" }));
  link = made.value.loginLink?.reveal() ?? "";
  await hw.run(verify(DOMAIN));
  const second = await hw.run(loginLink(DOMAIN));
  const other = second.loginLink.reveal();
  const [onWeb, onDatabase, onHub] = await Promise.all(stops.map(async (stop) => stop()));
  samples = { web: onWeb as Sampled, database: onDatabase as Sampled, hub: onHub as Sampled };
  site = await hw.sites.get(DOMAIN);

  const token = (url: string): string => new URL(url).searchParams.get("hostwright-login") ?? "";
  const stored = new StateFolder(fleet.stateDir);
  const settings = await settingsOf(site);
  // Of what the store holds sealed, all that is neither in the settings nor a link or key told below.
  const known = [...Object.values(settings), link, other, web.privateKey, database.privateKey];
  const unknown = stored
    .secrets()
    .filter((value) => value.length > 15 && !known.some((one) => one.trim() === value.trim()));
  stored.close();
  // Of its last full line: the first ones are the public half.
  const keyLine = (key: string): string => key.split("\n").findLast((line) => /^[\w+/]{70}$/.test(line)) ?? "";
  secrets = {
    ...settings,
    ...Object.fromEntries(unknown.map((value, index) => [`sealed ${index + 1}`, value])),
    "login token": token(link),
    "second login token": token(other),
    "private key of the login": keyLine(web.privateKey),
  };
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  for (const folder of [scratch, app === undefined ? undefined : dirname(app.source)])
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

describe("what is looked for", () => {
  test("are the true secrets: the site's own, its administrator's password, links and keys", async () => {
    const { DB_PASSWORD: password = "", ...rest } = secrets;
    expect(Object.keys(rest).filter((name) => /_(KEY|SALT)$/.test(name)).length).toBe(8);
    const login = await fleet.web.exec(
      ["mariadb", "-h", fleet.database.address, "-u", site.id, "-N", "-e", "select 1"],
      {
        env: { MYSQL_PWD: password },
      },
    );
    expect(login.stdout).toBe("1\n");
    const administrators = Object.entries(rest).filter(([name]) => name.startsWith("sealed"));
    const doors = await Promise.all(
      administrators.map(async ([, value]) => {
        const body = new URLSearchParams({ log: "admin", pwd: value, testcookie: "1" }).toString();
        const cookies = ["wordpress_test_cookie=WP%20Cookie%20check"];
        return (await page(fleet.web, DOMAIN, "/wp-login.php", { method: "POST", body, cookies })).status;
      }),
    );
    expect(doors.filter((status) => status === 302)).toEqual([302]);
    expect(Object.values(secrets).every((value) => value.length >= 32)).toBe(true);
  });

  test.each(["as it is", "base64", "hex"])("is found %s, where it is planted", (form) => {
    for (const [name, value] of Object.entries(secrets)) {
      const planted = Buffer.from(`xy${value}z`);
      const text = form === "as it is" ? planted.toString() : planted.toString(form === "hex" ? "hex" : "base64");
      expect(foundIn(`before ${text} after`, secrets)).toEqual([name]);
    }
  });
});

describe("while a site is installed, verified and logged in to", () => {
  test.each(["web", "database", "hub"] as const)("no process shows a secret: %s", (where) => {
    const { lines, rounds } = samples[where];
    figure(`rounds over the processes of ${where}`, rounds);
    const text = lines.join("\n");
    expect(rounds).toBeGreaterThan(100);
    for (const planted of ["planted-environ-4d1e", "planted-cmdline-4d1e"])
      expect([where, text.includes(planted)]).toEqual([where, true]);
    expect(foundIn(text, secrets)).toEqual([]);
  });

  test("the watchers saw the commands that carry secrets in", () => {
    const lines = samples.web.lines.filter((line) => line.startsWith("cmdline"));
    for (const command of ["/usr/local/lib/hostwright/wordpress.php", "systemd-run", "sshd"])
      expect([command, lines.some((line) => line.includes(command))]).toEqual([command, true]);
  });
});

describe("afterwards", () => {
  test("the plan names its secrets and holds none", () => {
    const { plan } = made;
    const shown = [plan.render(), JSON.stringify(plan), JSON.stringify(plan.actions), JSON.stringify(plan.value)];
    expect(shown.map((text) => foundIn(text, secrets))).toEqual([[], [], [], []]);
    expect(plan.render()).toContain("<db password of secret.example.com>");
  });

  test("no event holds one, as it was told or as it is replayed", async () => {
    const stop = new AbortController();
    const replayed: HostwrightEvent[] = [];
    const done = (async () => {
      for await (const event of fleet.hw.events({ after: 0, signal: stop.signal })) replayed.push(event);
    })();
    await delay(500);
    stop.abort();
    await done;
    expect([made.events.length > 10, replayed.length >= made.events.length]).toEqual([true, true]);
    expect([foundIn(JSON.stringify(made.events), secrets), foundIn(JSON.stringify(replayed), secrets)]).toEqual([
      [],
      [],
    ]);
    expect(foundIn(JSON.stringify(made.value), secrets)).toEqual([]);
  });

  test("no file of the state folder holds one in clear, down to its raw bytes", async () => {
    const found = await foundInFolder(fleet.stateDir, secrets);
    expect(Object.keys(found)).toEqual(expect.arrayContaining(["store.db", "store.db-wal", "events.db"]));
    expect(Object.entries(found).filter(([, names]) => names.length > 0)).toEqual([]);
    for (const name of (await readdir(fleet.stateDir)).filter((one) => one.startsWith("store.db")))
      await copyFile(join(fleet.stateDir, name), join(scratch, name));
    await writeFile(join(scratch, "store.db-wal"), `planted ${secrets["DB_PASSWORD"] ?? ""}`);
    expect((await foundInFolder(scratch, secrets))["store.db-wal"]).toEqual(["DB_PASSWORD"]);
  });

  test("neither host's logs hold one", async () => {
    for (const host of [fleet.web, fleet.database]) {
      await host.sh(
        "logger planted-journal-4d1e; echo planted-log-4d1e > /var/log/planted; sleep 0.3; journalctl --sync || true",
      );
      const planted: Secrets = { journal: "planted-journal-4d1e", log: "planted-log-4d1e" };
      expect(await foundInJournal(host, planted)).toContain("journal");
      expect(await filesOnHost(host, ["/var/log"], planted)).toContain("/var/log/planted");
      expect(await foundInJournal(host, secrets)).toEqual([]);
      expect(await filesOnHost(host, ["/var/log"], secrets)).toEqual([]);
    }
  });

  test("on its hosts they stand in the site's settings, and nowhere else", async () => {
    const folders = ["/etc", "/srv", "/home", "/root", "/run", "/tmp", "/var", "/usr/local", "/dev/shm"];
    const settings = `${homeOf(site)}/conf/settings.php`;
    expect(await filesOnHost(fleet.web, folders, secrets)).toEqual([settings]);
    expect(await filesOnHost(fleet.database, folders, secrets)).toEqual([]);
    expect(await fleet.web.sh(`stat -c '%a %U' ${settings}`)).toBe(`400 ${site.id}\n`);
  });

  test("the link that was given works, and prints as nothing", async () => {
    expect([String(made.value.loginLink), JSON.stringify(made.value.loginLink)]).toEqual(["[secret]", '"[secret]"']);
    const { pathname, search } = new URL(link);
    expect((await page(fleet.web, DOMAIN, `${pathname}${search}`)).status).toBe(302);
  });
});
