import { drupal } from "@hostwright/platform-drupal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../hosts/hosts.ts";
import { get, serve, titleOf } from "./front.ts";
import { plugins, siteOptions } from "./plugins.ts";
import { pushTree } from "./push.ts";
import { placeSite, type PlacedSite } from "./site.ts";

const TITLE = `O'Neil "<b>x</b>" \\ $x %s ünï`;
const PASSWORD = `p'"\\$x<&> %s`;
const RELEASE = "/srv/platforms/drupal";
const codebases = (process.env["HOSTWRIGHT_TEST_DRUPAL"] ?? "").split(",").filter((folder) => folder !== "");
const reason = codebases.length > 0 ? "" : " (skipped: HOSTWRIGHT_TEST_DRUPAL names no codebase)";

describe.skipIf(codebases.length === 0)(`a Drupal site from its plugins alone${reason}`, () => {
  let hosts: TestHosts;
  let host: TestHost;
  let site: PlacedSite;
  const used = plugins(drupal);
  const { application } = used.platform;

  beforeAll(async () => {
    hosts = await startHosts([{ name: "web", services: ["nginx", "mariadb"] }]);
    host = hosts.host("web");
    await pushTree(host, codebases[0] ?? "", RELEASE);
    const spec = {
      id: "dr1",
      uid: 20_201,
      domain: "dr1.example.com",
      title: TITLE,
      options: siteOptions(drupal),
      release: RELEASE,
    };
    site = await placeSite(host, used, { ...spec, secrets: { "admin-password": PASSWORD } });
    await serve(host, site.view);
    const seed = application.seed(site.view);
    if (seed === null || (await site.call(seed)).code !== 0) throw new Error("the site could not be seeded");
  });

  afterAll(async () => hosts?.stop());

  test("says that it is not installed before it is", async () => {
    expect(await site.call(application.status(site.view))).toMatchObject({ code: 0, answer: { installed: false } });
  });

  test("is installed with a hostile title and password, once", async () => {
    const first = await site.call(application.install(site.view));
    expect(first.result.stdout).not.toContain(PASSWORD);
    expect(first).toMatchObject({ code: 0, answer: { installed: true, title: TITLE } });
    expect(await site.call(application.install(site.view))).toMatchObject({
      code: 1,
      answer: { error: expect.any(String) },
    });
    expect(await site.call(application.status(site.view))).toMatchObject({
      code: 0,
      answer: { installed: true, title: TITLE },
    });
  });

  test("answers with its own title, and its generated styles", async () => {
    const page = await get(host, "http://dr1.example.com/");
    expect([page.status, titleOf(page.body)]).toEqual([
      200,
      expect.stringContaining("O&#039;Neil &quot;&lt;b&gt;x&lt;/b&gt;&quot; \\ $x %s ünï"),
    ]);
    const style = /\/sites\/default\/files\/css\/[^"]+/.exec(page.body)?.[0]?.replaceAll("&amp;", "&") ?? "none";
    expect((await get(host, `http://dr1.example.com${style}`)).status).toBe(200);
    // Drupal gives its .htaccess files a mode of its own; their folders are closed.
    expect(
      await host.sh(`find ${site.view.paths.public}/sites/default/files -perm /o=rwx ! -name .htaccess | wc -l`),
    ).toBe("0\n");
  });

  test("answers no name but its own", async () => {
    await host.sh(
      "sed -i 's/server_name dr1.example.com/server_name dr1.example.com evil.example.com/' /etc/nginx/conf.d/dr1.conf; systemctl restart nginx",
    );
    expect((await get(host, "http://evil.example.com/")).status).toBe(400);
  });

  test("its login link logs in once and only once, and ends within the quarter of an hour", async () => {
    const { answer } = await site.call(application.loginLink(site.view));
    const url = String(answer["loginLink"]);
    expect(Date.parse(String(answer["expiresAt"])) - Date.now()).toBeLessThanOrEqual(900_000);
    expect((await get(host, url, { jar: "link" })).location).toContain("/user/1/edit");
    expect((await get(host, "http://dr1.example.com/admin/reports/status", { jar: "link" })).status).toBe(200);
    expect((await get(host, url, { jar: "again" })).location).toContain("/user/password");
    expect((await get(host, "http://dr1.example.com/admin/reports/status", { jar: "again" })).status).toBe(403);
  });

  test("a link right after a login still works", async () => {
    const { answer } = await site.call(application.loginLink(site.view));
    expect((await get(host, String(answer["loginLink"]), { jar: "second" })).location).toContain("/user/1/edit");
  });

  test("an unfinished installation is told as an error", async () => {
    await host.sh("mariadb dr1 -e \"delete from key_value where collection = 'state' and name = 'install_task'\"");
    expect(await site.call(application.status(site.view))).toMatchObject({ code: 0, answer: { installed: false } });
    expect(await site.call(application.install(site.view))).toMatchObject({ code: 1 });
  });
});
