import { existsSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { WebRules, PlatformDeclaration, PlatformPlugin, SiteDeclaration } from "@hostwright/core/plugin";
import { drupal } from "@hostwright/platform-drupal";
import { mediawiki } from "@hostwright/platform-mediawiki";
import { wordpress } from "@hostwright/platform-wordpress";
import { siteView } from "@hostwright/testing";
import { mediawikiCodebase, wordpressCodebases, type WordpressVersion } from "../hosts/codebases.ts";
import { run } from "../../packages/testing/src/containers/run.ts";
import type { Pair } from "./pair.ts";
import { agedSamples, deniedSamples, isOwn } from "./rule-samples.ts";

/** Stands in every bait: a page that holds it has given a denied file away. */
export const BAIT = "hostwright-bait-7f3a";

/** Files that must never be served, laid out in the document root of the published code. */
const BAITS = [
  ".git/config",
  ".git/HEAD",
  ".env",
  ".htaccess",
  ".hidden",
  ".well-known.bak/x",
  "dump.sql",
  "dump.sql.gz",
  "composer.json",
  "composer.lock",
  "package.json",
  "settings.php.bak",
  "old.php~",
  "notes.inc",
  "debug.log",
  "sub/.git/config",
  "sub/dump.sql",
] as const;

/** Is served: shows that the baits are looked for in the right place. */
const OPEN = "open-bait.txt";

/** An application as the suites use it. */
export interface App {
  /** Also its platform's name. */
  readonly name: string;
  readonly platform: PlatformDeclaration;
  readonly site: SiteDeclaration;
  /** A copy of its code with baits; the caller removes its parent folder. */
  readonly source: string;
  /** The site's own folder that PHP writes to, as a URL and below its `public/`. */
  readonly uploads: string;
  readonly staticFile: string;
  readonly open: string;
  /** Paths that exist in the code or were laid out, and are denied. */
  readonly denied: readonly string[];
  /** Scripts of the code that no visitor may run. */
  readonly closedScripts: readonly string[];
  /** Below the site's `conf/`. */
  readonly settings: string;
  /** A page that an administrator sees and nobody else. */
  readonly adminPage: string;
  /** SQL on the site's database after which every login link's time is over, for each database that it can use. */
  readonly endLinks: Readonly<Partial<Record<Pair["db"], string>>>;
  /** What it asks of any web server. */
  readonly rules: WebRules;
  /** Name of the program by which Hostwright works on its sites. */
  readonly driver: string;
}

function contract({ platforms }: PlatformPlugin<never, never>): Pick<App, "rules" | "driver"> {
  const role = platforms?.[0]?.role;
  if (role?.application === undefined) throw new Error("the package has no platform with an application");
  return { rules: role.webRules(siteView("any")), driver: role.application.driver.name };
}

/** A copy of the code with a bait wherever its rules deny something or give it an age, but for the site's own folders. */
async function baited(source: string, docroot: string, rules: WebRules): Promise<string> {
  const copy = join(await mkdtemp(join(tmpdir(), "hostwright-code-")), "code");
  await run("cp", ["-a", source, copy]);
  const paths = [...deniedSamples(rules), ...agedSamples(rules).map(({ path }) => path)];
  for (const path of [...BAITS, OPEN, ...paths.filter((one) => !isOwn(rules, one))]) {
    const file = join(copy, docroot, path);
    if (paths.includes(path) && existsSync(file)) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${BAIT}\n`);
  }
  return copy;
}

const denied = BAITS.map((path) => `/${path}`);

export async function wordpressApp(version: WordpressVersion): Promise<App> {
  const codebases = await wordpressCodebases();
  return {
    name: `wordpress-${version}`,
    platform: wordpress.platform(),
    site: wordpress.site(),
    source: await baited(codebases[version], ".", contract(wordpress).rules),
    ...contract(wordpress),
    uploads: "/wp-content/uploads",
    staticFile: "/wp-includes/css/dashicons.min.css",
    open: `/${OPEN}`,
    denied: [
      ...denied,
      "/wp-config.php",
      "/wp-config-sample.php",
      "/wp-admin/install.php",
      "/wp-admin/setup-config.php",
    ],
    closedScripts: ["/wp-includes/version.php", "/wp-settings.php", "/wp-load.php", "/wp-admin/includes/upgrade.php"],
    settings: "settings.php",
    adminPage: "/wp-admin/options-general.php",
    endLinks: {
      mysql: `update wp_options set option_value = json_replace(option_value, '$.expires', 1) where option_name like 'hostwright_login_%'`,
    },
  };
}

export async function mediawikiApp(): Promise<App> {
  const over = `ul_value = regexp_replace(ul_value, '"expires":[0-9]+', '"expires":1') where ul_key like 'hostwright-login-%'`;
  return {
    name: "mediawiki-1.43",
    platform: mediawiki.platform(),
    site: mediawiki.site(),
    source: await baited(await mediawikiCodebase(), ".", contract(mediawiki).rules),
    ...contract(mediawiki),
    uploads: "/images",
    staticFile: "/resources/assets/poweredby_mediawiki.svg",
    open: `/${OPEN}`,
    denied: [
      ...denied,
      "/LocalSettings.php",
      "/includes/Defines.php",
      "/maintenance/run.php",
      "/mw-config/index.php",
      "/vendor/autoload.php",
      "/skins/Vector/skin.json",
    ],
    closedScripts: ["/img_auth.php", "/thumb_handler.php", "/autoload.php", "/maintenance/install.php"],
    settings: "settings.php",
    // Of those that it keeps from others this one alone says so by its status.
    adminPage: "/wiki/Special:Preferences",
    endLinks: { mysql: `update updatelog set ${over}`, postgres: `update mediawiki.updatelog set ${over}` },
  };
}

export async function drupalApp(source: string, name: string): Promise<App> {
  const timeout = `'"password_reset_timeout";i:86400', '"password_reset_timeout";i:1'`;
  return {
    name,
    platform: drupal.platform(),
    site: drupal.site({ profile: "standard" }),
    source: await baited(source, "web", contract(drupal).rules),
    ...contract(drupal),
    uploads: "/sites/default/files",
    staticFile: "/core/misc/druplicon.png",
    open: `/${OPEN}`,
    denied: [
      ...denied,
      "/sites/default/settings.php",
      "/vendor/autoload.php",
      "/core/core.services.yml",
      "/core/CHANGELOG.txt",
    ],
    closedScripts: [
      "/core/install.php",
      "/core/rebuild.php",
      "/core/authorize.php",
      "/core/includes/bootstrap.inc",
      "/update.php",
    ],
    settings: "sites/default/settings.php",
    adminPage: "/admin/reports/status",
    endLinks: {
      mysql: `update config set data = replace(data, ${timeout}) where name = 'user.settings'; truncate cache_config`,
      postgres: `update config set data = convert_to(replace(convert_from(data, 'UTF8'), ${timeout}), 'UTF8') where name = 'user.settings'; truncate cache_config`,
    },
  };
}

/** Codebases of Drupal that somebody has here; its code is in no registry that tests may rely on. */
export const drupalCodebases: readonly string[] = (process.env["HOSTWRIGHT_TEST_DRUPAL"] ?? "")
  .split(",")
  .filter((folder) => folder !== "");
