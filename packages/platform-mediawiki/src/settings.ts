import {
  HostwrightError,
  quoted,
  quoteValue,
  text,
  textOf,
  type DatabaseBinding,
  type Reference,
  type SettingsFile,
  type SiteView,
  type Text,
} from "@hostwright/core/plugin";
import { siteCode } from "./php-sources.ts";
import { MOUNTED, SETTINGS, SITE_CODE } from "./layout.ts";
import type { MediaWikiSiteOptions } from "./options.ts";

/** A literal of PHP, or text that is one already. */
type Value = string | boolean | Reference | { readonly php: string };

const php = (value: string): string => quoteValue(value, "php");

function assign(variable: string, value: Value): Text {
  if (typeof value === "string") return `$${variable} = ${php(value)};\n`;
  if (typeof value === "boolean") return `$${variable} = ${String(value)};\n`;
  return "php" in value ? `$${variable} = ${value.php};\n` : text`$${variable} = ${quoted(value, "php")};\n`;
}

function join(parts: readonly Text[]): Text {
  return textOf(parts.flatMap((part) => (typeof part === "string" ? [part] : part.parts)));
}

/** MediaWiki's name for each protocol, preferred first, and what its own installer would set. */
const DRIVERS: Readonly<
  Record<string, { readonly type: string; readonly more: readonly (readonly [string, string])[] }>
> = {
  mysql: { type: "mysql", more: [["wgDBTableOptions", "ENGINE=InnoDB, DEFAULT CHARSET=binary"]] },
  postgres: { type: "postgres", more: [["wgDBmwschema", "mediawiki"]] },
};

/** Protocols of databases, preferred first. */
export const databases: readonly string[] = Object.keys(DRIVERS);

/** As MediaWiki takes it: the port of PostgreSQL is a setting of its own. */
export function databaseServer({ protocol, host, port, socket }: DatabaseBinding): string {
  if (socket !== null) return `localhost:${socket}`;
  const address = host.includes(":") && protocol === "mysql" ? `[${host}]` : host;
  return protocol === "mysql" && port !== null ? `${address}:${port}` : address;
}

export function databaseType(domain: string, { protocol }: DatabaseBinding): string {
  const driver = DRIVERS[protocol];
  if (driver !== undefined) return driver.type;
  throw new HostwrightError("HW_SERVICE_UNFIT", `The MediaWiki site ${domain} cannot use ${protocol}.`);
}

function database(domain: string, binding: DatabaseBinding): readonly Text[] {
  return [
    assign("wgDBtype", databaseType(domain, binding)),
    assign("wgDBserver", databaseServer(binding)),
    ...(binding.protocol === "postgres" ? [assign("wgDBport", { php: String(binding.port ?? 5432) })] : []),
    assign("wgDBname", binding.name),
    assign("wgDBuser", binding.user),
    assign("wgDBpassword", binding.password),
    ...(DRIVERS[binding.protocol]?.more ?? []).map(([name, value]) => assign(name, value)),
  ];
}

export function settings(view: SiteView): readonly SettingsFile[] {
  const { paths, domain } = view;
  const { db } = view.bindings;
  if (db === undefined) throw new HostwrightError("HW_SERVICE_UNFIT", `The MediaWiki site ${domain} has no database.`);
  const { language, skins, extensions } = view.options as MediaWikiSiteOptions;
  const header = "<?php\n// Written by Hostwright. Changes made here are lost.\n";
  const content = join([
    header,
    "if (!defined('MEDIAWIKI')) { exit; }\n",
    "$hostwright_scheme = !empty($_SERVER['HTTPS']) && $_SERVER['HTTPS'] !== 'off' ? 'https' : 'http';\n",
    `$wgServer = $hostwright_scheme . ${php(`://${domain}`)};\n`,
    assign("wgCanonicalServer", `http://${domain}`),
    assign("wgSitename", view.title),
    assign("wgScriptPath", ""),
    assign("wgResourceBasePath", ""),
    assign("wgArticlePath", "/wiki/$1"),
    assign("wgUsePathInfo", true),
    // Else the front page is a redirect.
    assign("wgMainPageIsDomainRoot", true),
    ...database(domain, db),
    assign("wgSecretKey", view.secret("secret-key", "secret key")),
    assign("wgUpgradeKey", view.secret("upgrade-key", "upgrade key")),
    assign("wgLanguageCode", language),
    assign("wgEmergencyContact", view.adminEmail),
    assign("wgPasswordSender", view.adminEmail),
    assign("wgEnableUploads", true),
    assign("wgUploadPath", "/images"),
    // The web server reads as a member of the site's group, others not at all.
    assign("wgDirectoryMode", { php: "0750" }),
    assign("wgCacheDirectory", `${paths.private}/cache`),
    assign("wgTmpDirectory", paths.tmp),
    // Nothing is shared between sites but the code.
    assign("wgMainCacheType", { php: "CACHE_DB" }),
    assign("wgSessionCacheType", { php: "CACHE_DB" }),
    assign("wgInvalidateCacheOnLocalSettingsChange", true),
    ...skins.map((name) => `wfLoadSkin(${php(name)});\n`),
    assign("wgDefaultSkin", skins[0] === "Vector" ? "vector-2022" : (skins[0] ?? "").toLowerCase()),
    ...extensions.map((name) => `wfLoadExtension(${php(name)});\n`),
    `require_once ${php(`${paths.conf}/${SITE_CODE}`)};\n`,
  ]);
  return [
    { path: MOUNTED, content: `${header}require ${php(`${paths.conf}/${SETTINGS}`)};\n` },
    { path: SETTINGS, content },
    { path: SITE_CODE, content: siteCode() },
  ];
}
