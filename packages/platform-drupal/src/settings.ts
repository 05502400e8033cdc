import {
  HostwrightError,
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
import { SETTINGS } from "./layout.ts";

/** A literal of PHP, or text that is one already. */
type Value = string | number | boolean | Reference | { readonly php: string };

const php = (value: string): string => quoteValue(value, "php");

function literal(value: Value): Text {
  if (typeof value === "string") return php(value);
  if (typeof value !== "object") return String(value);
  return "php" in value ? value.php : textOf([quoted(value, "php")]);
}

function assign(variable: string, value: Value): Text {
  return text`${variable} = ${literal(value)};\n`;
}

function join(parts: readonly Text[]): Text {
  return textOf(parts.flatMap((part) => (typeof part === "string" ? [part] : part.parts)));
}

type Entries = readonly (readonly [key: string, value: Value])[];

/** Drupal's module for each protocol, and what its own installer would set. */
const DRIVERS: Readonly<Record<string, { readonly module: string; readonly entries: Entries }>> = {
  mysql: {
    module: "mysql",
    entries: [
      ["collation", "utf8mb4_general_ci"],
      // Asked for by Drupal's status report.
      ["isolation_level", "READ COMMITTED"],
    ],
  },
  postgres: { module: "pgsql", entries: [] },
};

/** Protocols of databases, preferred first. */
export const databases: readonly string[] = Object.keys(DRIVERS);

function database(domain: string, binding: DatabaseBinding): readonly Text[] {
  const { protocol, name, user, password, host, port, socket } = binding;
  const driver = DRIVERS[protocol];
  if (driver === undefined)
    throw new HostwrightError("HW_SERVICE_UNFIT", `The Drupal site ${domain} cannot use ${protocol}.`);
  const { module } = driver;
  const entries: Entries = [
    ["driver", module],
    ["namespace", `Drupal\\${module}\\Driver\\Database\\${module}`],
    ["autoload", `core/modules/${module}/src/Driver/Database/${module}/`],
    ["database", name],
    ["username", user],
    ["password", password],
    ["prefix", ""],
    ...driver.entries,
    ...(socket === null
      ? ([["host", host], ...(port === null ? [] : [["port", port] as const])] as const)
      : ([["unix_socket", socket]] as const)),
  ];
  return entries.map(([key, value]) => assign(`$databases['default']['default'][${php(key)}]`, value));
}

/** Matches this host and no other; Drupal puts `{` and `}i` around it. */
export function hostPattern(domain: string): string {
  const escaped = domain.replace(/^\*\./, "").replace(/[\\^$.*+?()[\]{}|#/-]/g, String.raw`\$&`);
  return domain.startsWith("*.") ? String.raw`^[a-z0-9.-]+\.${escaped}$` : `^${escaped}$`;
}

/** As the module Redis takes it; until that is enabled and made the default for bins, Drupal caches in its database. */
function objectCache(cache: CacheBinding | undefined): readonly Text[] {
  if (cache === undefined) return [];
  const { socket, host, port, user, password, prefix } = cache;
  const connection = "$settings['redis.connection']";
  return [
    assign(`${connection}['interface']`, "PhpRedis"),
    assign(`${connection}['host']`, socket ?? host),
    // PHP's extension takes a path for a socket only where no port is named.
    assign(`${connection}['port']`, socket === null ? (port ?? 6379) : 0),
    text`${connection}['password'] = [${php(user)}, ${quoted(password, "php")}];\n`,
    assign("$settings['cache_prefix']", prefix),
  ];
}

export function settings(view: SiteView): readonly SettingsFile[] {
  const { paths } = view;
  const { db } = view.bindings;
  if (db === undefined)
    throw new HostwrightError("HW_SERVICE_UNFIT", `The Drupal site ${view.domain} has no database.`);
  const setting = (name: string, value: Value): Text => assign(`$settings[${php(name)}]`, value);
  const content = join([
    "<?php\n// Written by Hostwright. Changes made here are lost.\n",
    ...database(view.domain, db),
    ...objectCache(view.bindings["cache"]),
    setting("hash_salt", view.secret("hash-salt", "hash salt")),
    ...[view.domain, ...view.aliases].map((domain) =>
      assign("$settings['trusted_host_patterns'][]", hostPattern(domain)),
    ),
    setting("config_sync_directory", `${paths.private}/config/sync`),
    setting("file_public_path", "sites/default/files"),
    setting("file_private_path", `${paths.private}/files`),
    setting("file_temp_path", paths.tmp),
    // Compiled templates are code: out of the folder that the web maps.
    assign("$settings['php_storage']['default']['directory']", `${paths.private}/php`),
    assign("$settings['php_storage']['twig']['directory']", `${paths.private}/php`),
    // The web server reads as a member of the site's group, others not at all.
    setting("file_chmod_directory", { php: "0750" }),
    setting("file_chmod_file", { php: "0640" }),
    // This folder is read-only for PHP whatever its modes are.
    setting("skip_permissions_hardening", true),
    // The code is shared and read-only.
    setting("update_free_access", false),
    setting("allow_authorize_operations", false),
    setting("rebuild_access", false),
    setting("state_cache", true),
    setting("entity_update_backup", true),
  ]);
  return [{ path: SETTINGS, content }];
}
