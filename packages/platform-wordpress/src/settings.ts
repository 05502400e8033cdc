import {
  quoted,
  quoteValue,
  text,
  textOf,
  type CacheBinding,
  type DatabaseBinding,
  type Reference,
  type SettingsFile,
  type SiteView,
  type Text,
} from "@hostwright/core/plugin";
import { HostwrightError } from "@hostwright/core/plugin";
import { siteCode } from "./php-sources.ts";
import { MOUNTED, SETTINGS, SITE_CODE } from "./layout.ts";
import type { WordPressSiteOptions } from "./options.ts";

const KEYS = [
  "auth-key",
  "secure-auth-key",
  "logged-in-key",
  "nonce-key",
  "auth-salt",
  "secure-auth-salt",
  "logged-in-salt",
  "nonce-salt",
];

const php = (value: string): string => quoteValue(value, "php");

function define(name: string, value: string | Reference | boolean): Text {
  if (typeof value === "boolean") return `define('${name}', ${String(value)});\n`;
  return text`define('${name}', ${typeof value === "string" ? php(value) : quoted(value, "php")});\n`;
}

function join(parts: readonly Text[]): Text {
  return textOf(parts.flatMap((part) => (typeof part === "string" ? [part] : part.parts)));
}

/** As mysqli takes it in one string: `host:port` or `localhost:/path/to/socket`. */
export function databaseHost({ host, port, socket }: DatabaseBinding): string {
  if (socket !== null) return `localhost:${socket}`;
  const address = host.includes(":") ? `[${host}]` : host;
  return port === null ? address : `${address}:${port}`;
}

/** As the plugin Redis Object Cache takes them; without it they do nothing. */
function objectCache(cache: CacheBinding | undefined): readonly Text[] {
  if (cache === undefined) return [];
  const { socket, host, port, user, password, prefix } = cache;
  return [
    define("WP_REDIS_CLIENT", "phpredis"),
    ...(socket === null
      ? [define("WP_REDIS_HOST", host), `define('WP_REDIS_PORT', ${port ?? 6379});\n`]
      : [define("WP_REDIS_SCHEME", "unix"), define("WP_REDIS_PATH", socket)]),
    text`define('WP_REDIS_PASSWORD', [${php(user)}, ${quoted(password, "php")}]);\n`,
    define("WP_REDIS_PREFIX", prefix),
    // They are kept by commands that are refused to a site.
    define("WP_REDIS_DISABLE_METRICS", true),
  ];
}

export function settings(view: SiteView): readonly SettingsFile[] {
  const { paths, bindings } = view;
  const { db: database } = bindings;
  if (database === undefined)
    throw new HostwrightError("HW_SERVICE_UNFIT", `The WordPress site ${view.domain} has no database.`);
  const { tablePrefix } = view.options as WordPressSiteOptions;
  const header = "<?php\n// Written by Hostwright. Changes made here are lost.\n";
  const content = join([
    header,
    define("DB_NAME", database.name),
    define("DB_USER", database.user),
    define("DB_PASSWORD", database.password),
    define("DB_HOST", databaseHost(database)),
    define("DB_CHARSET", "utf8mb4"),
    define("DB_COLLATE", ""),
    `$table_prefix = ${php(tablePrefix)};\n`,
    ...KEYS.map((key) => define(key.toUpperCase().replaceAll("-", "_"), view.secret(key, key.replaceAll("-", " ")))),
    ...objectCache(view.bindings["cache"]),
    "$hostwright_scheme = !empty($_SERVER['HTTPS']) && $_SERVER['HTTPS'] !== 'off' ? 'https' : 'http';\n",
    `define('WP_HOME', $hostwright_scheme . ${php(`://${view.domain}`)});\n`,
    "define('WP_SITEURL', WP_HOME);\n",
    // The code is shared and read-only; plugins and themes are the owner's and update as usual.
    define("WP_AUTO_UPDATE_CORE", false),
    define("DISALLOW_FILE_EDIT", true),
    // PHP runs as the owner of wp-content; WordPress would ask for FTP since its own code belongs to root.
    define("FS_METHOD", "direct"),
    // The web server reads as a member of the site's group, others not at all.
    "define('FS_CHMOD_DIR', 0750);\n",
    "define('FS_CHMOD_FILE', 0640);\n",
    define("WP_TEMP_DIR", paths.tmp),
    define("WP_MEMORY_LIMIT", `${view.limits.memoryMegabytes}M`),
    define("WP_MAX_MEMORY_LIMIT", `${view.limits.memoryMegabytes}M`),
    `require_once ${php(`${paths.conf}/${SITE_CODE}`)};\n`,
  ]);
  return [
    {
      path: MOUNTED,
      content: `${header}require ${php(`${paths.conf}/${SETTINGS}`)};\nrequire_once ABSPATH . 'wp-settings.php';\n`,
    },
    { path: SETTINGS, content },
    { path: SITE_CODE, content: siteCode() },
  ];
}
