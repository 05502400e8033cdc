import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import type { Answer, HttpBench } from "./http-bench.ts";

type HttpCheck = Check<HttpBench>;

const php = (site: string, script: string, info: string, uri: string): string =>
  `php /srv/platforms/${site}/web${script} ${info} ${uri}\n`;

/** Where a redirect leads; a relative one is as good. */
export const location = (answer: Answer, from: string): string =>
  new URL(/^Location: (.*)\r$/im.exec(answer.headers)?.[1] ?? "none:", from).href;

function runs(
  site: string,
  rows: readonly (readonly [path: string, script: string, info: string])[],
): readonly HttpCheck[] {
  return rows.map(([path, script, info]) => ({
    name: `a site like ${site}: ${path} runs ${script}`,
    async run(bench) {
      const { status, body } = await bench.get(`${site}.test`, path);
      assert.deepEqual([status, body], [200, php(site, script, info, path)]);
    },
  }));
}

function files(site: string, rows: readonly (readonly [path: string, body: string])[]): readonly HttpCheck[] {
  return rows.map(([path, expected]) => ({
    name: `a site like ${site}: ${path} is a file`,
    async run(bench) {
      const { status, body } = await bench.get(`${site}.test`, path);
      assert.deepEqual([status, body], [200, expected]);
    },
  }));
}

function missing(site: string, paths: readonly string[]): readonly HttpCheck[] {
  return paths.map((path) => ({
    name: `a site like ${site}: ${path} is answered with 404`,
    async run(bench) {
      const { status, body } = await bench.get(`${site}.test`, path);
      assert.equal(status, 404, body);
      assert.doesNotMatch(body, /php \/srv|secret|own/);
    },
  }));
}

/** What every http service serves and refuses, alike: one table for all of them. */
export const httpTable: readonly HttpCheck[] = [
  ...runs("wordpress", [
    ["/", "/index.php", ""],
    ["/2024/hello-world/?a=b", "/index.php", ""],
    ["/index.php/path/info", "/index.php", "/path/info"],
    ["/wp-login.php?x=1", "/wp-login.php", ""],
    ["/wp-admin/", "/wp-admin/index.php", ""],
    ["/wp-admin/users.php", "/wp-admin/users.php", ""],
    ["/wp-content/plugins/shop/pay.php", "/wp-content/plugins/shop/pay.php", ""],
    ["/.well-known/other", "/index.php", ""],
    ["/wiki/dump.sql", "/index.php", ""],
    ["/wiki/.git", "/index.php", ""],
    ["/wiki/a.php/b.php?x=1", "/index.php", ""],
  ]),
  ...files("wordpress", [
    ["/style.css", "release\n"],
    ["/robots.txt", "release\n"],
    ["/wp-content/uploads/a.jpg", "own\n"],
    ["/wp-content/uploads/same-owner", "own\n"],
    ["/.well-known/acme-challenge/token", "challenge\n"],
  ]),
  ...missing("wordpress", [
    "/readme.html",
    "/wp-content/cache/page.html",
    "/wp-content/uploads/private/a.txt",
    "/wp-content/uploads/dump.sql",
    "/wp-content/uploads/dump%2esql",
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
  ]),
  {
    name: "a link to a file of another owner is not followed",
    async run(bench) {
      const { status } = await bench.get("wordpress.test", "/wp-content/uploads/passwd");
      assert.ok([403, 404].includes(status), String(status));
    },
  },
  {
    name: "an alias leads to the main name with path, query and port kept, but for challenges",
    async run(bench) {
      for (const alias of ["www.wordpress.test", "any.wordpress.example"]) {
        const answer = await bench.get(alias, "/a%20b?c=d");
        assert.deepEqual([answer.status, location(answer, "none:")], [301, "http://wordpress.test/a%20b?c=d"]);
        const challenge = await bench.get(alias, "/.well-known/acme-challenge/token");
        assert.deepEqual([challenge.status, challenge.body], [200, "challenge\n"]);
      }
      assert.equal(location(await bench.get("www.wordpress.test:8080", "/"), "none:"), "http://wordpress.test:8080/");
      const folder = location(await bench.get("wordpress.test", "/wp-admin?a=b"), "http://wordpress.test/wp-admin");
      assert.equal(folder, "http://wordpress.test/wp-admin/?a=b");
    },
  },
  {
    name: "cache ages and nosniff are as the rules say",
    async run(bench) {
      const headers = async (path: string): Promise<string> => (await bench.get("wordpress.test", path)).headers;
      assert.match(
        await headers("/style.css"),
        /(?=.*Cache-Control: max-age=86400\r\n).*X-Content-Type-Options: nosniff/s,
      );
      assert.match(await headers("/wp-content/uploads/a.jpg"), /Cache-Control: max-age=3600\r\n/);
      assert.doesNotMatch(await headers("/robots.txt"), /Cache-Control/);
    },
  },
  {
    name: "uploads beyond the limit are refused",
    async run(bench) {
      const post = async (bytes: number): Promise<number> =>
        Number(
          await sh(
            bench.host,
            `head -c ${bytes} /dev/zero | curl -sS -o /dev/null -w '%{http_code}' -H 'Host: wordpress.test' --data-binary @- http://127.0.0.1:${bench.definition.role.port(bench.view)}/`,
          ),
        );
      assert.deepEqual([await post(1_000_000), await post(1_100_000)], [200, 413]);
    },
  },
  ...runs("drupal", [
    ["/node/1", "/index.php", ""],
    ["/update.php/selection?op=x", "/update.php", "/selection"],
    ["/core/install.php", "/core/install.php", ""],
    ["/core/modules/stat/statistics.php", "/core/modules/stat/statistics.php", ""],
    ["/sites/default/files/css/not-yet.css", "/index.php", ""],
    ["/sites/default/files/styles/large/public/a.jpg", "/index.php", ""],
  ]),
  ...files("drupal", [["/sites/default/files/css/made.css", "own\n"]]),
  ...missing("drupal", [
    "/sites/default/files/missing.txt",
    "/vendor/autoload.txt",
    "/a/private/b",
    "/internal.php/core/modules/statistics.php",
  ]),
  {
    name: "an alias that is to be served answers as the site",
    async run(bench) {
      const { status, body } = await bench.get("www.drupal.test", "/sites/default/files/a.txt");
      assert.deepEqual([status, body], [200, "own\n"]);
    },
  },
  {
    name: "a disabled site answers 503 on every name and path, static files too, but for challenges",
    async run(bench) {
      for (const [name, path] of [
        ["closed.test", "/"],
        ["closed.test", "/style.css"],
        ["www.closed.test", "/wp-login.php"],
      ] as const) {
        const { status, headers, body } = await bench.get(name, path);
        assert.equal(status, 503);
        assert.match(headers, /Retry-After: 3600/);
        assert.match(body, /not available/);
      }
      assert.equal((await bench.get("closed.test", "/.well-known/acme-challenge/token")).status, 200);
    },
  },
  {
    name: "each site answers over IPv6",
    needs: "ipv6",
    async run(bench) {
      const port = bench.definition.role.port(bench.view);
      const answer = await sh(bench.host, `curl -sS -g -H 'Host: wordpress.test' 'http://[::1]:${port}/robots.txt'`);
      assert.equal(answer, "release\n");
    },
  },
  {
    name: "the log names a request's site by its main domain, whatever name was asked for",
    async run(bench) {
      const mark = `/core/logged-${crypto.randomUUID()}`;
      for (const name of ["drupal.test", "www.drupal.test"]) await bench.get(name, mark);
      const lines = `grep -c '^drupal.test[: ].*${mark}' ${bench.subject.log}`;
      const waited = `for i in $(seq 100); do n=$(${lines} || true); [ "$n" = 2 ] && break; sleep 0.1; done; echo $n`;
      const count = Number(await sh(bench.host, waited));
      assert.equal(count, 2, `lines of ${bench.subject.log} that begin with drupal.test and tell of two requests`);
    },
  },
];
