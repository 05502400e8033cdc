import { quoteValue, resolveText, type PlatformRole, type SiteView } from "@hostwright/core/plugin";
import { drupal } from "@hostwright/platform-drupal";
import { wordpress } from "@hostwright/platform-wordpress";
import { phpFpm } from "@hostwright/service-php-fpm";
import { serviceOf } from "@hostwright/testing";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../hosts/hosts.ts";
import { plugins, siteOptions } from "./plugins.ts";
import { sampleDatabase, sampleSite } from "./sample-site.ts";
import { ANY_CHARACTER } from "../../packages/testing/src/any-character.ts";

let hosts: TestHosts;
let host: TestHost;

beforeAll(async () => {
  hosts = await startHosts([{ name: "web" }]);
  host = hosts.host("web");
});

afterAll(async () => hosts?.stop());

const HOSTILE = [
  "'",
  "\\",
  "\\'",
  "'; system('id'); '",
  "<?php ?>",
  "?>",
  "${x}",
  "$x",
  "{$x}",
  "\n",
  "\r\n",
  "\u0085",
  "%s",
  "*/",
  "//",
  "#",
  "\\\\'",
  "ünï✓",
  "\u{1f600}",
];
const values = [
  ...HOSTILE,
  ...fc.sample(fc.string({ unit: ANY_CHARACTER, maxLength: 40 }), 300),
  ...fc.sample(fc.string({ unit: fc.constantFrom(..."'\\\"$\n?>{}"), maxLength: 12 }), 200),
].filter((value) => !value.includes("\0") && value.isWellFormed());

const php = async (source: string): Promise<string> =>
  host.sh("cat > /tmp/judged.php && php8.4 -d display_errors=stderr /tmp/judged.php", { input: source });

test("any value that is quoted for PHP is that value again, as PHP itself reads it", async () => {
  const literals = values.map((value) => quoteValue(value, "php"));
  expect(JSON.parse(await php(`<?php echo json_encode([${literals.join(",\n")}]);`))).toEqual(values);
});

function render(role: PlatformRole, view: SiteView, secret: string, path: string): string {
  const file = role.settings(view).find((one) => one.path === path);
  if (file === undefined) throw new Error(`no ${path}`);
  return resolveText(file.content, () => secret);
}

type AnyPlatform = Parameters<typeof plugins>[0];

function settingsOf(plugin: AnyPlatform, path: string, value: string): string {
  const view = sampleSite({
    options: siteOptions(plugin),
    title: value,
    bindings: { db: { ...sampleDatabase, name: value, user: value } },
  });
  return render(plugins(plugin).platform, view, value, path);
}

test("WordPress's settings hold hostile values as they are", async () => {
  for (const value of [...HOSTILE, ...values.slice(-5)]) {
    const source = settingsOf(wordpress, "settings.php", value).replace(
      /^require_once.*$/m,
      "echo json_encode([DB_NAME, DB_USER, DB_PASSWORD, AUTH_KEY, NONCE_SALT, WP_HOME]);",
    );
    expect(JSON.parse(await php(source))).toEqual([value, value, value, value, value, "http://s1aaaaaaaa.test"]);
  }
});

test("Drupal's settings hold hostile values as they are", async () => {
  for (const value of [...HOSTILE, ...values.slice(-5)]) {
    const source = `${settingsOf(drupal, "sites/default/settings.php", value)}\n$d = $databases['default']['default']; echo json_encode([$d['database'], $d['username'], $d['password'], $settings['hash_salt'], preg_match('{' . $settings['trusted_host_patterns'][0] . '}i', 's1aaaaaaaa.test')]);`;
    expect(JSON.parse(await php(source))).toEqual([value, value, value, value, 1]);
  }
});

test("drivers and shipped code are good PHP", async () => {
  const shipped = [
    ...[wordpress, drupal].map((plugin) => plugins(plugin).platform.application.driver.source),
    render(
      plugins(wordpress).platform,
      sampleSite({ options: siteOptions(wordpress), bindings: { db: sampleDatabase } }),
      "x",
      "site.php",
    ),
  ];
  for (const source of shipped) {
    expect(await host.sh("cat > /tmp/shipped.php && php8.4 -l /tmp/shipped.php", { input: source })).toContain(
      "No syntax errors",
    );
  }
});

test("php-fpm and systemd accept what is rendered for them without a word", async () => {
  const service = serviceOf(phpFpm, "php");
  const { server } = plugins(wordpress);
  const odd = { root: "/srv/platforms/a%b,c=d@e~f+g", docroot: "/srv/platforms/a%b,c=d@e~f+g/web" };
  const view = sampleSite({ bindings: { db: sampleDatabase }, platform: { ...sampleSite().platform, ...odd } });
  const files = service.role
    .site(view, server)
    .filter((one) => one.type === "file")
    .map((one) => one.spec as { path: string; content: string });
  for (const { path, content } of files)
    await host.sh(`mkdir -p "$(dirname ${path})"; cat > ${path}`, { input: content });
  const pool = await host.exec([
    "php-fpm8.4",
    "--test",
    "--allow-to-run-as-root",
    "--fpm-config",
    "/etc/hostwright/php/s1aaaaaaaa.conf",
  ]);
  expect([pool.code, pool.stderr.split("\n").filter((line) => /error|warn|unknown/i.test(line))]).toEqual([0, []]);
  const verified = await host.exec([
    "systemd-analyze",
    "verify",
    "--man=no",
    "hostwright-php-s1aaaaaaaa.service",
    "hostwright-php-s1aaaaaaaa.socket",
  ]);
  expect([verified.code, verified.stderr]).toEqual([0, ""]);
  await host.sh("systemctl daemon-reload");
  expect(await host.sh("systemctl show -P BindReadOnlyPaths hostwright-php-s1aaaaaaaa.service")).toContain(odd.root);
});
