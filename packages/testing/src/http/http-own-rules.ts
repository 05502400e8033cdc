import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import { MEMBERS, type Answer, type HttpBench } from "./http-bench.ts";
import { location } from "./http-table.ts";

type HttpCheck = Check<HttpBench>;

const TO = (path: string): string => `http://ruled.test${path}`;

const REDIRECTS: readonly (readonly [path: string, status: number, to: string])[] = [
  ["/old%20page", 301, TO("/new%20page")],
  ["/old%20page?a=b&c=%2F", 301, TO("/new%20page?a=b&c=%2F")],
  ["/x/../old%20page", 301, TO("/new%20page")],
  ["/shop?x", 302, "https://shop.example/a%2Fb?x"],
  ["/wiki/Old", 308, TO("/wiki/New")],
  ["/blog/2019/a%20b/c%3bd?e=f", 307, TO("/archive/a%20b/c%3bd?e=f")],
  ["/blog/", 301, TO("/")],
  ["/blog/x?y", 301, TO("/x?y")],
  ["/f%C3%BCr/a", 302, "https://shop.example/a"],
  ["/f%c3%bcr/?a", 302, "https://shop.example/?a"],
  ["/style.css", 302, TO("/opened")],
];

const DENIED = [
  "/closed/",
  "/closed/door",
  "/a.zip",
  "/wp-content/uploads/a.zip",
  "/wiki/Secret",
  "/wiki/intern/x",
  "/.env",
  "/readme.html",
];

const HEADERS: readonly (readonly [path: string, body: string])[] = [
  ["/", "php /srv"],
  ["/wiki/other", "php /srv"],
  ["/wiki/dump.sql", "php /srv"],
  ["/robots.txt", "release"],
  ["/wp-content/uploads/a.jpg", "own"],
  ["/.well-known/acme-challenge/token", "challenge"],
  ["/missing/.env", ""],
];

const BEHIND_A_PASSWORD = [
  "/",
  "/wiki/x",
  "/style.css",
  "/wp-content/uploads/a.jpg",
  "/wp-login.php",
  "/wp-admin/",
  "/wp-content/missing.css",
  "/wp-admin/missing.php",
  "/wp-content/uploads/",
];

const valuesOf = ({ headers }: Answer, name: string): readonly string[] =>
  [...headers.matchAll(new RegExp(`^${name}: (.*)\r$`, "gim"))].map(([, value = ""]) => value);

/** What a site's owner asks of any web server (`view.ownRules`), and what he cannot open by it. */
export const ownRulesChecks: readonly HttpCheck[] = [
  ...REDIRECTS.map(([path, status, to]): HttpCheck => ({
    name: `a site's own rules: ${path} is answered with ${status} to ${to}`,
    async run(bench) {
      const answer = await bench.get("ruled.test", path);
      assert.deepEqual([answer.status, location(answer, TO(path))], [status, to]);
      assert.match(answer.headers, /^x-app: own "100%" value; a='b'\r$/im);
    },
  })),
  {
    name: "a site's own rules: no path leads a redirect to another host, or into a header",
    async run(bench) {
      for (const path of [
        "/blog//evil.example/",
        "/blog/\\evil.example/",
        "//blog/x",
        "/b%6Cog/x",
        "/blog/%0d%0aX-Evil:1",
      ]) {
        const answer = await bench.get("ruled.test", path);
        assert.doesNotMatch(answer.headers, /^X-Evil/im, path);
        if (answer.status === 301) assert.equal(new URL(location(answer, TO("/"))).host, "ruled.test", path);
        else assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
      }
    },
  },
  ...DENIED.map((path): HttpCheck => ({
    name: `a site's own rules: ${path} is answered with 404, a redirect or not`,
    async run(bench) {
      const { status, body } = await bench.get("ruled.test", path);
      assert.equal(status, 404);
      assert.doesNotMatch(body, /php \/srv|own\n/);
    },
  })),
  {
    name: "a site's own rules: headers are on every answer, each once and instead of others of the name",
    async run(bench) {
      for (const [path, body] of HEADERS) {
        const answer = await bench.get("ruled.test", path);
        assert.ok(answer.body.includes(body), path);
        assert.deepEqual(
          ["x-app", "cache-control", "x-content-type-options"].map((name) => valuesOf(answer, name)),
          [[`own "100%" value; a='b'`], ["no-store"], ["own"]],
          path,
        );
      }
    },
  },
  {
    name: "a password stands before pages and files, but for challenges, redirects and refusals; PHP learns nothing of it",
    async run(bench) {
      const ask = async (path: string, user?: string): Promise<Answer> =>
        bench.get("locked.test", path, ...(user === undefined ? [] : ["-u", user]));
      const [anna, bert] = [`anna:${MEMBERS["anna"] ?? ""}`, `bert:${MEMBERS["bert"] ?? ""}`];
      for (const path of BEHIND_A_PASSWORD) {
        for (const user of [undefined, "anna:another-one", `carl:${MEMBERS["anna"] ?? ""}`]) {
          const { status, body } = await ask(path, user);
          assert.equal(status, 401, `${path} as ${user ?? "nobody"}`);
          assert.doesNotMatch(body, /php \/srv|release\n|own\n/);
        }
      }
      assert.match(
        (await ask("/")).headers,
        /^www-authenticate: Basic realm="Members, only"(?:, ?charset="UTF-8")?\r$/im,
      );
      const page = await ask("/", anna);
      assert.deepEqual([page.status, /^X-Told: *(.*)\r$/im.exec(page.headers)?.[1]], [200, "/"]);
      assert.equal((await ask("/wp-content/missing.css", bert)).status, 404);
      assert.equal((await ask("/wp-admin/missing.php", bert)).status, 404);
      assert.equal((await ask("/style.css", bert)).body, "release\n");
      assert.equal((await ask("/.well-known/acme-challenge/token")).body, "challenge\n");
      assert.deepEqual([(await ask("/old%20page")).status, (await ask("/.env")).status], [301, 404]);
      assert.equal((await ask("/.well-known/other")).status, 401);
    },
  },
  {
    name: "without a password of the site, what a visitor sends reaches the application",
    async run(bench) {
      const { headers } = await bench.get("wordpress.test", "/", "-u", "app:token");
      assert.match(headers, /^X-Told: Basic YXBwOnRva2Vu\/\r$/m);
    },
  },
  {
    name: "other addresses than those listed get 403 for everything but challenges",
    async run(bench) {
      const ask = async (path: string, from: string): Promise<number> =>
        (await bench.get("listed.test", path, "--interface", from)).status;
      const paths = ["/", "/style.css", "/old%20page", "/.env", "/wp-content/uploads/a.jpg", "/.well-known/other"];
      for (const path of paths) assert.equal(await ask(path, "127.0.0.1"), 403, path);
      const seen: number[] = [];
      for (const path of paths) seen.push(await ask(path, "127.7.1.2"));
      assert.deepEqual(seen, [200, 200, 301, 404, 200, 200]);
      assert.equal(await ask("/.well-known/acme-challenge/token", "127.0.0.1"), 200);
    },
  },
  {
    name: "other addresses than those listed get 403 over IPv6 too",
    needs: "ipv6",
    async run(bench) {
      const url = `http://[::1]:${bench.definition.role.port(bench.view)}/`;
      const six = `curl -sS -g -o /dev/null -w '%{http_code}' -H 'Host: listed.test' '${url}'`;
      assert.equal(await sh(bench.host, six), "403");
    },
  },
];
