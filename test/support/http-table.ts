import type { Declared, HttpEntry, ServerView, ServiceDefinition, SiteView } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../hosts/hosts.ts";
import { drupalRules, siteView, wordpressRules } from "./http-samples.ts";

const ACME_FOLDER = "/var/lib/hostwright-acme";

/** An http service as the table judges it: nothing but its role is known of it. */
export interface HttpSubject {
  readonly definition: Extract<ServiceDefinition, { kind: "http" }>;
  readonly view: ServerView;
  /** Where it logs requests, a line each that begins with or holds the site's name. */
  readonly log: string;
}

/** A host on which the service runs with three sites, as the engine would bring it there. */
export class HttpHost implements AsyncDisposable {
  readonly host: TestHost;
  readonly #hosts: TestHosts;
  readonly #subject: HttpSubject;

  private constructor(hosts: TestHosts, subject: HttpSubject) {
    this.#hosts = hosts;
    this.#subject = subject;
    this.host = hosts.host("web");
  }

  static async start(subject: HttpSubject): Promise<HttpHost> {
    const web = new HttpHost(await startHosts([{ name: "web" }]), subject);
    const { host } = web;
    await host.sh(TREE);
    await host.sh("cat > /srv/echo.php", { input: ECHO });
    const pools = ["wordpress", "drupal", "closed"].map(POOL).join("");
    await host.sh("cat > /etc/php/8.4/fpm/pool.d/sites.conf", { input: pools });
    await web.put([wordpress, drupal, closed]);
    await host.sh(`systemctl daemon-reload && systemctl start php8.4-fpm ${subject.definition.role.publication.unit}`);
    return web;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts.stop();
  }

  /** Server's files, status and sites, all in force at once; further entries as they are. */
  async put(sites: readonly SiteView[], further: readonly HttpEntry[] = []): Promise<void> {
    const { definition, view } = this.#subject;
    const { role } = definition;
    const { root } = role.publication;
    for (const declared of role.server(view)) await this.#make(declared);
    const entries = [role.publication.statusEntry(1), ...sites.flatMap((site) => role.site(site, view)), ...further];
    for (const { name, content } of entries) await this.#write(`${root}/entries/${name}`, content);
    await this.host.sh(`rm -rf ${root}/current && mv ${root}/entries ${root}/current`);
  }

  async configTest(): Promise<{ readonly code: number | null; readonly said: string }> {
    const { code, stdout, stderr } = await this.host.exec(this.#subject.definition.role.publication.test);
    return { code, said: stdout + stderr };
  }

  async #make({ type, spec }: Declared): Promise<void> {
    const { path, content } = spec as { path: string; content: string };
    if (type === "directory") await this.host.sh(`mkdir -p ${path}`);
    if (type === "file") await this.#write(path, content);
  }

  async #write(path: string, content: string): Promise<void> {
    await this.host.sh(`cat > ${path}`, { input: content });
  }

  async get(name: string, path: string, ...flags: readonly string[]): Promise<Answer> {
    const url = `http://127.0.0.1${path}`;
    const curl = ["curl", "-sS", "-m", "10", "-i", "--path-as-is", "-H", `Host: ${name}`, ...flags, url];
    const { stdout } = await this.host.exec(curl);
    const end = stdout.indexOf("\r\n\r\n");
    const headers = stdout.slice(0, end + 2);
    return { status: Number(/^HTTP\/\S+ (\d+)/.exec(headers)?.[1]), headers, body: stdout.slice(end + 4) };
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

const wordpress = siteView("wordpress", wordpressRules);
const drupal = siteView("drupal", drupalRules, { aliasMode: "serve" });
const closed = siteView("closed", wordpressRules, { enabled: false });

/** Answers FastCGI with what it was asked to run; stands for the site's PHP, which has its own tests. */
const POOL = (id: string): string => `[${id}]
user = nobody
group = nogroup
listen = /run/php-${id}.sock
listen.owner = www-data
pm = ondemand
pm.max_children = 2
php_value[auto_prepend_file] = /srv/echo.php
`;
const ECHO = `<?php echo "php ", $_SERVER["SCRIPT_FILENAME"], " ", $_SERVER["PATH_INFO"] ?? "", " ", $_SERVER["REQUEST_URI"], "\\n"; exit;`;

const TREE = `set -e
for id in wordpress drupal closed; do
  w=/srv/platforms/$id/web; p=/srv/sites/$id/public
  mkdir -p $w/core/modules/stat $w/wp-admin/css $w/wp-content/themes $w/vendor $p/wp-content/uploads/private $p/wp-content/plugins/shop $p/wp-content/cache $p/sites/default/files/css
  mkdir -p $w/wp-content/plugins/shop; echo '<?php' > $w/wp-content/plugins/shop/pay.php; echo '<?php' > $w/evil.php
  for f in index wp-login update internal wp-admin/index wp-admin/users core/install core/modules/stat/statistics; do echo '<?php secret source' > $w/$f.php; done
  echo release > $w/style.css; echo release > $w/robots.txt; echo release > $w/readme.html; echo release > $w/wp-content/from-release.txt; echo x > $w/vendor/autoload.txt
  echo own > $p/wp-content/uploads/a.jpg; echo '<?php' > $p/wp-content/uploads/x.php; echo '<?php' > $p/wp-content/uploads/y.PHP; echo '<?php' > $p/wp-content/plugins/shop/pay.php; echo '<?php' > $p/wp-content/plugins/shop/other.php
  echo own > $p/wp-content/uploads/private/a.txt; echo own > $p/wp-content/cache/page.html; echo own > $p/wp-content/uploads/dump.sql
  printf own > "$p/wp-content/uploads/a
.sql"
  echo own > $p/sites/default/files/a.txt; echo own > $p/sites/default/files/css/made.css; mkdir -p $p/.git; echo git > $w/.env
  ln -s /etc/passwd $p/wp-content/uploads/passwd; echo own > $p/wp-content/uploads/target; ln -s target $p/wp-content/uploads/same-owner; chown -R -h 20000:20000 $p/wp-content/uploads
done
mkdir -p ${ACME_FOLDER}; echo challenge > ${ACME_FOLDER}/token
`;

/** What every http service serves and refuses, alike: one table for all of them. */
export function httpTable(name: string, subject: HttpSubject): void {
  let web: HttpHost;
  const get = async (...args: Parameters<HttpHost["get"]>): Promise<Answer> => web.get(...args);
  const sh = async (script: string): Promise<string> => web.host.sh(script);
  /** Where a redirect leads; a relative one is as good. */
  const location = (answer: Answer, from: string): string =>
    new URL(/^Location: (.*)\r$/im.exec(answer.headers)?.[1] ?? "none:", from).href;

  beforeAll(async () => {
    web = await HttpHost.start(subject);
  });
  afterAll(async () => web?.[Symbol.asyncDispose]());

  const PHP = (docroot: string, script: string, info: string, uri: string): string =>
    `php /srv/platforms/${docroot}/web${script} ${info} ${uri}\n`;

  describe(`${name}: a site like WordPress`, () => {
    test.each([
      ["/", "/index.php", ""],
      ["/2024/hello-world/?a=b", "/index.php", ""],
      ["/index.php/path/info", "/index.php", "/path/info"],
      ["/wp-login.php?x=1", "/wp-login.php", ""],
      ["/wp-admin/", "/wp-admin/index.php", ""],
      ["/wp-admin/users.php", "/wp-admin/users.php", ""],
      ["/wp-content/plugins/shop/pay.php", "/wp-content/plugins/shop/pay.php", ""],
      ["/wp-login.php%0A", "/index.php", ""],
      ["/.well-known/other", "/index.php", ""],
      ["/wiki/dump.sql", "/index.php", ""],
      ["/wiki/.git", "/index.php", ""],
      ["/wiki/a.php/b.php?x=1", "/index.php", ""],
    ])("%s runs %s", async (path, script, info) => {
      expect(await get("wordpress.test", path)).toMatchObject({
        status: 200,
        body: PHP("wordpress", script, info, path),
      });
    });

    test.each([
      ["/style.css", "release\n"],
      ["/robots.txt", "release\n"],
      ["/wp-content/uploads/a.jpg", "own\n"],
      ["/wp-content/uploads/same-owner", "own\n"],
      ["/.well-known/acme-challenge/token", "challenge\n"],
    ])("%s is a file", async (path, body) => {
      expect(await get("wordpress.test", path)).toMatchObject({ status: 200, body });
    });

    test.each([
      "/readme.html",
      "/wp-content/cache/page.html",
      "/wp-content/uploads/private/a.txt",
      "/wp-content/uploads/dump.sql",
      "/wp-content/uploads/dump%2esql",
      "/wp-content/uploads/a%0A.sql",
      "/.env",
      "/.git/config",
      "/a/.hidden",
      "//.env",
      "/x/../.env",
      "/composer.json",
      "/wp-content/uploads/x.php",
      "/wp-content/uploads/y.PHP",
      "/wp-content/uploads/a.jpg/x.php",
      "/wp-content/uploads/x.php/a.jpg",
      "/wp-content/plugins/shop/other.php",
      "/internal.php",
      "/internal.php/wp-login.php",
      "/internal.php/wp-admin/users.php",
      "/wp-admin/../internal.php",
      "/wp-admin/missing.php",
      "/wp-admin/a.jpg/x.php",
      "/wp-content/missing.png",
      "/wp-content/from-release.txt",
      "/wp-login.phtml",
      "/.well-known/acme-challenge/missing",
      "/.well-known/acme-challenge/../../etc/passwd.php",
    ])("%s is answered with 404", async (path) => {
      const answer = await get("wordpress.test", path);
      expect(answer.status).toBe(404);
      expect(answer.body).not.toMatch(/php \/srv|secret|own/);
    });

    test("a link to a file of another owner is not followed", async () => {
      expect([403, 404]).toContain((await get("wordpress.test", "/wp-content/uploads/passwd")).status);
    });

    test("an alias leads to the main name with path, query and port kept, but for challenges", async () => {
      for (const alias of ["www.wordpress.test", "any.wordpress.example"]) {
        const answer = await get(alias, "/a%20b?c=d");
        expect([answer.status, location(answer, "none:")]).toEqual([301, "http://wordpress.test/a%20b?c=d"]);
        expect(await get(alias, "/.well-known/acme-challenge/token")).toMatchObject({
          status: 200,
          body: "challenge\n",
        });
      }
      const port = await get("www.wordpress.test:8080", "/");
      expect(location(port, "none:")).toBe("http://wordpress.test:8080/");
      const folder = location(await get("wordpress.test", "/wp-admin?a=b"), "http://wordpress.test/wp-admin");
      expect(folder).toBe("http://wordpress.test/wp-admin/?a=b");
    });

    test("cache ages and nosniff are as the rules say", async () => {
      expect((await get("wordpress.test", "/style.css")).headers).toMatch(
        /(?=.*Cache-Control: max-age=86400\r\n).*X-Content-Type-Options: nosniff/s,
      );
      expect((await get("wordpress.test", "/wp-content/uploads/a.jpg")).headers).toContain(
        "Cache-Control: max-age=3600\r\n",
      );
      expect((await get("wordpress.test", "/robots.txt")).headers).not.toContain("Cache-Control");
    });

    test("uploads beyond the limit are refused", async () => {
      const post = async (bytes: number): Promise<number> =>
        Number(
          await sh(
            `head -c ${bytes} /dev/zero | curl -sS -o /dev/null -w '%{http_code}' -H 'Host: wordpress.test' --data-binary @- http://127.0.0.1/`,
          ),
        );
      expect([await post(1_000_000), await post(1_100_000)]).toEqual([200, 413]);
    });
  });

  describe(`${name}: a site like Drupal`, () => {
    test.each([
      ["/node/1", "/index.php", ""],
      ["/update.php/selection?op=x", "/update.php", "/selection"],
      ["/core/install.php", "/core/install.php", ""],
      ["/core/modules/stat/statistics.php", "/core/modules/stat/statistics.php", ""],
      ["/sites/default/files/css/not-yet.css", "/index.php", ""],
      ["/sites/default/files/styles/large/public/a.jpg", "/index.php", ""],
    ])("%s runs %s", async (path, script, info) => {
      expect(await get("drupal.test", path)).toMatchObject({ status: 200, body: PHP("drupal", script, info, path) });
    });

    test("generated files that exist come from disk, other missing files are 404 without PHP, aliases are served", async () => {
      expect(await get("drupal.test", "/sites/default/files/css/made.css")).toMatchObject({
        status: 200,
        body: "own\n",
      });
      expect(await get("www.drupal.test", "/sites/default/files/a.txt")).toMatchObject({ status: 200, body: "own\n" });
      expect((await get("drupal.test", "/sites/default/files/missing.txt")).status).toBe(404);
      expect((await get("drupal.test", "/vendor/autoload.txt")).status).toBe(404);
      expect((await get("drupal.test", "/a/private/b")).status).toBe(404);
      expect((await get("drupal.test", "/internal.php/core/modules/statistics.php")).status).toBe(404);
    });
  });

  test("a disabled site answers 503 on every name and path, static files too, but for challenges", async () => {
    for (const [name, path] of [
      ["closed.test", "/"],
      ["closed.test", "/style.css"],
      ["www.closed.test", "/wp-login.php"],
    ] as const) {
      const answer = await get(name, path);
      expect(answer.status).toBe(503);
      expect(answer.headers).toContain("Retry-After: 3600");
      expect(answer.body).toContain("not available");
    }
    expect((await get("closed.test", "/.well-known/acme-challenge/token")).status).toBe(200);
  });

  test("each site answers over IPv6, the log names the site, the generation answers on loopback", async () => {
    expect(await sh("curl -sS -g -H 'Host: wordpress.test' 'http://[::1]/robots.txt'")).toBe("release\n");
    expect(await sh(`sleep 0.3; grep -c '^wordpress.test' ${subject.log}`)).not.toBe("0\n");
    const { port, path } = subject.definition.role.publication.status;
    expect((await sh(`curl -sS http://127.0.0.1:${port}${path}`)).trim()).toBe("1");
  });
}
