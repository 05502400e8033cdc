import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureBase } from "../../packages/testing/src/containers/base.ts";
import { cached } from "../../packages/testing/src/containers/cache.ts";
import { progress, run } from "../../packages/testing/src/containers/run.ts";
import { copyResolved, linksIn } from "./tree.ts";

interface Release {
  suite: string;
  theme: string;
}

const releases = {
  "6.1": { suite: "bookworm", theme: "twentytwentythree" },
  "6.8": { suite: "trixie", theme: "twentytwentyfive" },
} as const satisfies Record<string, Release>;

export type WordpressVersion = keyof typeof releases;

/** What Debian's package links to instead of bringing it along. */
const linkedPackages = ["php-getid3", "libjs-cropper", "libjs-lodash", "libjs-underscore"];
const certificates = "/etc/ssl/certs/ca-certificates.crt";
const format = 1;

/** apt with a state of its own, so that it fetches from a suite this machine may not have, and leaves this machine's alone. */
async function fetchPackages(folder: string, suite: string, names: readonly string[], base: string): Promise<string[]> {
  const mirror = /^deb\s+(?:\[[^\]]*\]\s*)?(\S+)/m.exec(
    await readFile(join(base, "etc/apt/sources.list"), "utf8"),
  )?.[1];
  if (mirror === undefined)
    throw new Error(`${base}/etc/apt/sources.list names no mirror: remove ${base}, so that it is built anew`);
  for (const part of ["lists/partial", "cache/archives/partial", "parts"])
    await mkdir(join(folder, part), { recursive: true });
  await writeFile(join(folder, "status"), "");
  const keyring = join(base, "usr/share/keyrings/debian-archive-keyring.gpg");
  await writeFile(join(folder, "sources.list"), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  const settings = {
    "Dir::State": folder,
    "Dir::State::Lists": join(folder, "lists"),
    "Dir::State::status": join(folder, "status"),
    "Dir::Cache": join(folder, "cache"),
    "Dir::Etc::SourceList": join(folder, "sources.list"),
    "Dir::Etc::SourceParts": join(folder, "parts"),
    "Dir::Etc::Preferences": join(folder, "preferences"),
    "Dir::Etc::PreferencesParts": join(folder, "parts"),
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await run("apt-get", [...options, "-q", "update"], { cwd: folder });
  await run("apt-get", [...options, "-q", "download", ...names], { cwd: folder });
  return (await readdir(folder)).filter((name) => name.endsWith(".deb")).map((name) => join(folder, name));
}

/** Debian's own configuration, which reads /etc/wordpress, and what only its packages need. */
function notWordpress(path: string): boolean {
  return /\/usr\/share\/wordpress\/(wp-config\.php|wp-content\/languages)$/.test(path);
}

async function checkRelease(folder: string, version: string, theme: string): Promise<void> {
  const links = await linksIn(folder);
  if (links.length > 0) throw new Error(`the WordPress tree still has links: ${links.join(", ")}`);
  for (const path of [
    "index.php",
    "wp-admin/includes/upgrade.php",
    "wp-includes/version.php",
    `wp-content/themes/${theme}/style.css`,
  ]) {
    if (!existsSync(join(folder, path))) throw new Error(`the WordPress tree has no ${path}`);
  }
  if (existsSync(join(folder, "wp-config.php")))
    throw new Error("the WordPress tree has a wp-config.php, which belongs to sites");
  const found = /\$wp_version = '([^']+)'/.exec(await readFile(join(folder, "wp-includes/version.php"), "utf8"))?.[1];
  if (found === undefined || !`${found}.`.startsWith(`${version}.`))
    throw new Error(`expected WordPress ${version}, got ${found}`);
}

/** Lays packages out beside `folder` for as long as `use` needs them. */
async function withPackages(
  folder: string,
  suite: string,
  names: readonly string[],
  use: (system: string, base: string) => Promise<void>,
): Promise<void> {
  const base = await ensureBase();
  const work = `${folder}.packages`;
  try {
    await mkdir(work, { recursive: true });
    const system = join(work, "system");
    for (const deb of await fetchPackages(work, suite, [...names], base)) await run("dpkg-deb", ["-x", deb, system]);
    await use(system, base);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function buildRelease(folder: string, version: WordpressVersion): Promise<void> {
  const { suite, theme } = releases[version];
  progress(`fetching WordPress ${version} from Debian ${suite}`);
  const names = ["wordpress", `wordpress-theme-${theme}`, ...linkedPackages];
  await withPackages(folder, suite, names, async (system, base) => {
    // Made at installation, so it is in no package.
    await mkdir(join(system, "etc/ssl/certs"), { recursive: true });
    await copyFile(join(base, certificates), join(system, certificates));
    await copyResolved(system, "/usr/share/wordpress", folder, notWordpress);
    await checkRelease(folder, version, theme);
  });
}

/** WordPress in two releases, each a plain tree as wordpress.org would ship it, without any site's configuration. */
export async function wordpressCodebases(): Promise<Record<WordpressVersion, string>> {
  const get = (version: WordpressVersion): Promise<string> =>
    cached(`wordpress-${version}`, { format, release: releases[version], linkedPackages }, (folder) =>
      buildRelease(folder, version),
    );
  return { "6.1": await get("6.1"), "6.8": await get("6.8") };
}

const mediawiki = { suite: "trixie", packages: ["mediawiki", "mediawiki-classes"] };

/** Debian's own configuration and the folders of its one site, and an editor as big as all the rest. */
function notMediawiki(path: string): boolean {
  return /\/var\/lib\/mediawiki\/(LocalSettings\.php|config|cache|images|extensions\/VisualEditor)$/.test(path);
}

/** MediaWiki 1.43, a plain tree as mediawiki.org would ship it, without any site's configuration. */
export async function mediawikiCodebase(): Promise<string> {
  return cached("mediawiki-1.43", { format, mediawiki }, async (folder) => {
    progress(`fetching MediaWiki from Debian ${mediawiki.suite}`);
    await withPackages(folder, mediawiki.suite, mediawiki.packages, async (system) => {
      await copyResolved(system, "/var/lib/mediawiki", folder, notMediawiki);
      for (const path of ["index.php", "includes/Defines.php", "skins/Vector/skin.json", "vendor/autoload.php"]) {
        if (!existsSync(join(folder, path))) throw new Error(`the MediaWiki tree has no ${path}`);
      }
    });
  });
}
