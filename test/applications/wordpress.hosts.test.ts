import { wordpress } from "@hostwright/platform-wordpress";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts, type TestHost, type TestHosts } from "../hosts/hosts.ts";
import { get, serve, titleOf } from "./front.ts";
import { plugins, siteOptions } from "./plugins.ts";
import { pushTree } from "./push.ts";
import { placeSite, type PlacedSite } from "./site.ts";

const TITLE = `O'Neil "<b>x</b>" \\ $x %s ünï`;
const PASSWORD = `p'"\\$x<&> %s`;
const RELEASE = "/srv/platforms/wp";

let hosts: TestHosts;
let host: TestHost;
let site: PlacedSite;
const used = plugins(wordpress);
const { application } = used.platform;

beforeAll(async () => {
  hosts = await startHosts([{ name: "web", services: ["nginx", "mariadb"] }]);
  host = hosts.host("web");
  await pushTree(host, (await wordpressCodebases())["6.8"], `${RELEASE}/web`);
  const spec = {
    id: "wp1",
    uid: 20_101,
    domain: "wp1.example.com",
    title: TITLE,
    options: siteOptions(wordpress),
    release: RELEASE,
  };
  site = await placeSite(host, used, { ...spec, secrets: { "admin-password": PASSWORD } });
  await serve(host, site.view);
});

afterAll(async () => hosts?.stop());

describe("a WordPress site from its plugins alone", () => {
  // That it is seeded and installed once, and with what, is in the conformance suite.
  test("is seeded by its own user, and a second time nothing is copied", async () => {
    const seed = application.seed(site.view);
    if (seed === null) throw new Error("nothing to seed");
    expect((await site.call(seed)).answer["copied"]).toSatisfy((count: number) => count > 50);
    expect((await site.call(seed)).answer).toEqual({ copied: 0 });
    expect(await host.sh(`find ${site.view.paths.public}/wp-content ! -user wp1 -o -perm /o=rwx | wc -l`)).toBe("0\n");
    expect(await site.call(application.install(site.view))).toMatchObject({
      code: 0,
      answer: { installed: true, userId: 1 },
    });
  });

  test("lets its administrator in by the form with the very password", async () => {
    await get(host, "http://wp1.example.com/wp-login.php", { jar: "form" });
    const login = await get(host, "http://wp1.example.com/wp-login.php", {
      jar: "form",
      form: { log: "admin", pwd: PASSWORD },
    });
    expect([login.status, login.location]).toEqual([302, "http://wp1.example.com/wp-admin/"]);
  });

  test("sees its new settings without a restart", async () => {
    const before = await host.sh("systemctl show -P MainPID hostwright-php-wp1.service");
    const settings = `${site.view.paths.conf}/settings.php`;
    await host.sh(
      `cp -p ${settings} /root/kept; sed "s/wp1\\.example\\.com/renamed.example.com/" ${settings} > ${settings}.new; chown wp1 ${settings}.new; chmod 400 ${settings}.new; mv ${settings}.new ${settings}; sleep 3`,
    );
    expect((await get(host, "http://wp1.example.com/wp-admin/")).location).toContain("renamed.example.com");
    await host.sh(`mv /root/kept ${settings}; sleep 3`);
    expect((await get(host, "http://wp1.example.com/wp-admin/")).location).toContain("wp1.example.com");
    expect(await host.sh("systemctl show -P MainPID hostwright-php-wp1.service")).toBe(before);
  });
});

describe("a login link", () => {
  const link = async (): Promise<string> =>
    String((await site.call(application.loginLink(site.view))).answer["loginLink"]);

  test("logs in once and only once, and is not used up by a look at it", async () => {
    const url = await link();
    expect((await get(host, url, { method: "HEAD" })).status).toBe(403);
    expect((await get(host, url, { jar: "link" })).location).toBe("http://wp1.example.com/wp-admin/");
    expect(titleOf((await get(host, "http://wp1.example.com/wp-admin/", { jar: "link" })).body)).toContain("Dashboard");
    expect((await get(host, url, { jar: "again" })).status).toBe(403);
    expect((await get(host, "http://wp1.example.com/wp-admin/", { jar: "again" })).location).toContain("wp-login.php");
  });

  test("used by ten browsers at once lets one in", async () => {
    const url = await link();
    const answers = await Promise.all(Array.from({ length: 10 }, async () => get(host, url)));
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([
      302,
      ...Array.from({ length: 9 }, () => 403),
    ]);
  });

  test("ends with its time, and is stored as a hash only", async () => {
    const call = application.loginLink(site.view);
    const url = String((await site.call({ ...call, input: { ...call.input, validSeconds: 1 } })).answer["loginLink"]);
    const token = new URL(url).searchParams.get("hostwright-login") ?? "";
    const rows = await host.sh(`mariadb wp1 -e "select * from wp_options where option_name like 'hostwright%'"`);
    expect([token.length, rows.includes(token.slice(0, 16)), rows.includes(token.slice(16))]).toEqual([
      80,
      true,
      false,
    ]);
    await host.sh("sleep 2");
    expect((await get(host, url)).status).toBe(403);
  });

  test.each(["", "x", "0".repeat(80), "' or 1=1 -- ", "a".repeat(5000)])(
    "that is forged (%j) is refused",
    async (token) => {
      expect(
        (await get(host, `http://wp1.example.com/wp-login.php?hostwright-login=${encodeURIComponent(token)}`)).status,
      ).toBe(403);
    },
  );
});

test("a fault in the application is told as an error, not as a success", async () => {
  await host.sh("systemctl stop mariadb");
  const { code, answer } = await site.call(application.status(site.view));
  await host.sh("systemctl start mariadb");
  expect([code, answer["error"]]).toEqual([1, expect.stringContaining("database connection")]);
});
