import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  isHostwrightError,
  type HttpEntry,
  type PathPattern,
  type ServiceDefinition,
  type WebRules,
} from "@hostwright/core";
import { startHosts, type TestHost, type TestHosts } from "../../../test/hosts/hosts.ts";
import { facts } from "../src/facts.ts";
import { nginx } from "../src/index.ts";
import { ACME_FOLDER, ACME_SNIPPET, FASTCGI_SNIPPET, ROOT } from "../src/paths.ts";
import { defaultEntry, statusEntry } from "../src/server.ts";
import { ACME, FASTCGI } from "../src/snippets.ts";
import { renderSite } from "../src/vhost.ts";
import { drupalRules, serverView, siteView, wordpressRules } from "./samples.ts";

const service = nginx.services?.[0] as Extract<ServiceDefinition, { kind: "http" }>;
const view = serverView();
const shared: readonly HttpEntry[] = [
  defaultEntry({ httpPort: 80, ipv6: true }, null),
  statusEntry(1),
  { name: ACME_SNIPPET, content: ACME },
  { name: FASTCGI_SNIPPET, content: FASTCGI },
];

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

let hosts: TestHosts;
let host: TestHost;

async function put(entries: readonly HttpEntry[]): Promise<void> {
  await host.sh(`rm -rf ${ROOT}/current; mkdir -p ${ROOT}/current`);
  for (const { name, content } of entries) await host.sh(`cat > ${ROOT}/current/${name}`, { input: content });
}

async function nginxTest(): Promise<{ code: number; said: string }> {
  const { code, stderr } = await host.exec(["nginx", "-t"]);
  return { code, said: stderr };
}

interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

async function get(name: string, path: string, ...flags: readonly string[]): Promise<Answer> {
  const output = await host.exec([
    "curl",
    "-sS",
    "-m",
    "10",
    "-i",
    "--path-as-is",
    "-H",
    `Host: ${name}`,
    ...flags,
    `http://127.0.0.1${path}`,
  ]);
  const end = output.stdout.indexOf("\r\n\r\n");
  const headers = output.stdout.slice(0, end + 2);
  return { status: Number(/^HTTP\/\S+ (\d+)/.exec(headers)?.[1]), headers, body: output.stdout.slice(end + 4) };
}

beforeAll(async () => {
  hosts = await startHosts([{ name: "web" }]);
  host = hosts.host("web");
  await host.sh(TREE);
  await host.sh("cat > /srv/echo.php", { input: ECHO });
  await host.sh("cat > /etc/php/8.4/fpm/pool.d/sites.conf", {
    input: ["wordpress", "drupal", "closed"].map(POOL).join(""),
  });
  await host.sh(`mkdir -p ${ROOT}; echo 'include ${ROOT}/current/*.conf;' > /etc/nginx/conf.d/hostwright.conf`);
  await put([...shared, ...[wordpress, drupal, closed].map((site) => renderSite(site, view))]);
  await host.sh("nginx -t && systemctl start nginx php8.4-fpm");
});

afterAll(async () => hosts?.stop());

const PHP = (docroot: string, script: string, info: string, uri: string): string =>
  `php /srv/platforms/${docroot}/web${script} ${info} ${uri}\n`;

describe("a site like WordPress", () => {
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
    expect((await get("wordpress.test", "/wp-content/uploads/passwd")).status).toBe(404);
  });

  test("an alias leads to the main name with path, query and port kept, but for challenges", async () => {
    for (const alias of ["www.wordpress.test", "any.wordpress.example"]) {
      expect((await get(alias, "/a%20b?c=d")).headers).toMatch(
        /^HTTP\/1.1 301 .*\r\nLocation: http:\/\/wordpress\.test\/a%20b\?c=d\r\n/s,
      );
      expect(await get(alias, "/.well-known/acme-challenge/token")).toMatchObject({ status: 200, body: "challenge\n" });
    }
    expect((await get("www.wordpress.test:8080", "/")).headers).toContain("Location: http://wordpress.test:8080/\r\n");
    expect((await get("wordpress.test", "/wp-admin?a=b")).headers).toContain("Location: /wp-admin/?a=b\r\n");
  });

  test("cache ages and nosniff are as the rules say", async () => {
    expect((await get("wordpress.test", "/style.css")).headers).toMatch(
      /Cache-Control: max-age=86400\r\n.*X-Content-Type-Options: nosniff/s,
    );
    expect((await get("wordpress.test", "/wp-content/uploads/a.jpg")).headers).toContain(
      "Cache-Control: max-age=3600\r\n",
    );
    expect((await get("wordpress.test", "/robots.txt")).headers).not.toContain("Cache-Control");
  });

  test("uploads beyond the limit are refused", async () => {
    const post = async (bytes: number): Promise<number> =>
      Number(
        await host.sh(
          `head -c ${bytes} /dev/zero | curl -sS -o /dev/null -w '%{http_code}' -H 'Host: wordpress.test' --data-binary @- http://127.0.0.1/`,
        ),
      );
    expect([await post(1_000_000), await post(1_100_000)]).toEqual([200, 413]);
  });
});

describe("a site like Drupal", () => {
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
    expect(await get("drupal.test", "/sites/default/files/css/made.css")).toMatchObject({ status: 200, body: "own\n" });
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
  expect(await host.sh("curl -sS -g -H 'Host: wordpress.test' 'http://[::1]/robots.txt'")).toBe("release\n");
  expect(await host.sh("grep -c '^wordpress.test ' /var/log/nginx/hostwright.log")).not.toBe("0\n");
  expect(await host.sh("curl -sS http://127.0.0.1:591/hostwright-generation")).toBe("1\n");
});

test("an unknown name meets Debian's stock site while that claims the default, and ours as soon as it is gone", async () => {
  const readFacts = async (): Promise<unknown> => {
    const probe = facts["foreign"];
    const { code, stdout, stderr } = await host.exec(probe?.argv ?? []);
    return probe?.parse({ exitCode: code, stdout, stderr });
  };
  const withFacts = async () => service.problems(serverView({ version: "1.26.3", foreign: await readFacts() }));
  expect((await nginxTest()).said).not.toMatch(/warn|emerg/);
  expect((await get("unknown.test", "/")).status).toBe(200);
  expect((await withFacts()).map(({ message }) => message)).toEqual([
    expect.stringContaining("/etc/nginx/sites-enabled/default"),
  ]);
  const held = service.role.heldNames((await host.exec(service.role.dump)).stdout);
  expect(held.filter(({ file }) => !file.startsWith(`${ROOT}/`))).toEqual([]);
  expect(held).toContainEqual({ name: "www.wordpress.test", file: `${ROOT}/current/wordpress.conf` });
  await host.sh("rm /etc/nginx/sites-enabled/default && nginx -t && systemctl restart nginx");
  expect((await get("unknown.test", "/")).status).toBe(404);
  expect((await get("10.0.0.1", "/.well-known/acme-challenge/token")).body).toBe("challenge\n");
  expect(await host.sh("curl -sS -g -o /dev/null -w '%{http_code}' 'http://[::1]/'")).toBe("404");
  expect(await withFacts()).toEqual([]);
});

describe("judged by nginx itself", () => {
  const text = (units: string): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...units, "\\z", "php"), minLength: 1, maxLength: 12 });
  const nasty = fc.oneof(
    { weight: 60, arbitrary: text("ab/.*+?()[]{}|^\\\"'; #é~%,=&<>") },
    { weight: 1, arbitrary: text("a\n\t$\u0007\u007f") },
  );
  const pattern: fc.Arbitrary<PathPattern> = fc.oneof(
    nasty.map((exact) => ({ exact: `/${exact}` })),
    nasty.map((prefix) => ({ prefix: `/${prefix}/` })),
    nasty.map((segment) => ({ segment })),
    fc.tuple(nasty, nasty).map(([suffix, under]) => ({ suffix, under: `/${under}/` })),
  );
  const some = fc.array(pattern, { maxLength: 4 });
  const rules: fc.Arbitrary<WebRules> = fc.record({
    frontController: nasty.map((name) => `/${name}.php`),
    phpEntryPoints: some,
    phpIndexes: fc.array(
      nasty.map((name) => `/${name}/`),
      { maxLength: 2 },
    ),
    ownPaths: fc.array(
      nasty.map((name) => ({ prefix: `/${name}/` })),
      { maxLength: 2 },
    ),
    denied: some,
    cache: fc.array(fc.record({ match: pattern, maxAgeSeconds: fc.integer({ min: 0 }) }), { maxLength: 3 }),
    generated: some,
  });

  test("whatever a platform or a path holds is accepted as data or refused by us, never a broken configuration", async () => {
    const samples = fc.sample(fc.tuple(rules, nasty, nasty), { numRuns: 400, seed: 7 });
    const accepted = samples.flatMap(([one, root, title], index): HttpEntry[] => {
      const site = siteView(`s${index}`, one, { title });
      const paths = { ...site.paths, public: `/srv/${root}` };
      try {
        return [renderSite({ ...site, paths }, view)];
      } catch (error) {
        if (isHostwrightError(error) && error.code === "HW_QUOTE_REFUSED") return [];
        throw error;
      }
    });
    expect(accepted.length).toBeGreaterThan(40);
    expect(accepted.length).toBeLessThan(400);
    await put([...shared, ...accepted]);
    expect((await nginxTest()).said).toMatch(/syntax is ok\n.*test is successful/);
  });

  test("the longest names, long lists and many sites pass", async () => {
    const long = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(57)}.test`;
    const denied = Array.from({ length: 600 }, (_, index) => ({ exact: `/some.long.path/number.${index}` }));
    const aliases = Array.from({ length: 500 }, (_, index) => `alias-${index}.big.test`);
    const big = siteView("big", { ...wordpressRules, denied }, { domain: long, aliases });
    const many = Array.from({ length: 1000 }, (_, index) => renderSite(siteView(`n${index}`, wordpressRules), view));
    const content = many.map((entry) => entry.content).join("\n");
    await put([...shared, renderSite(big, view), { name: "many.conf", content }]);
    const started = performance.now();
    expect((await nginxTest()).said).toMatch(
      /^nginx: the configuration file \S+ syntax is ok\n.*test is successful\n$/,
    );
    console.log(`nginx -t with 1,001 sites: ${Math.round(performance.now() - started)} ms`);
  });
});
