import { ACME_FOLDER, httpEntry, webServer, type Declared, type Entry, type ServerView } from "@hostwright/core/plugin";
import { listensOn } from "./facts.ts";
import { block, NOT_FOUND, rule } from "./lines.ts";
import type { ApacheOptions } from "./options.ts";
import { ROOT, STATUS } from "./paths.ts";
import { host } from "./vhost.ts";

/** Debian has them, and not every server has switched them on. */
const MODULES =
  "authn_core authz_core authn_file authz_user auth_basic dir proxy proxy_fcgi proxy_http rewrite headers alias deflate filter";

/** Modules, settings for all sites, and the neutral site for requests that name no site: the first of its listener. */
export function defaultEntry(options: ApacheOptions, listens: boolean): Entry {
  return httpEntry("000-default.conf", [
    ...MODULES.split(" ").flatMap((name) =>
      block("IfModule", `!${name}_module`, [`LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`]),
    ),
    ...(listens ? [] : [`Listen ${options.httpPort}`]),
    "DirectorySlash Off",
    // A visitor's header "Proxy" must not become PHP's proxy (httpoxy).
    "RequestHeader unset Proxy early",
    "Header always set X-Content-Type-Options nosniff",
    'Header set Cache-Control "max-age=%{HOSTWRIGHT_AGE}e" env=HOSTWRIGHT_AGE',
    ...block("Directory", `"${ACME_FOLDER}/"`, [
      "AllowOverride None",
      "Options None",
      "ForceType text/plain",
      "Require all granted",
    ]),
    ...host(options, ["hostwright.invalid"], rule("^", "-", NOT_FOUND)),
  ]);
}

/** Answers the generation in force, on loopback only: Apache can say a text of ours as that of an error alone. */
export function statusEntry(generation: number): Entry {
  const status = block("VirtualHost", `127.0.0.1:${STATUS.port}`, [
    "ServerName hostwright-status",
    "CustomLog /dev/null common",
    "RewriteEngine On",
    ...rule(`^${STATUS.path}$`, "-", NOT_FOUND),
    ...rule("^", "-", ["R=403", "L"]),
    `ErrorDocument 404 "${generation}"`,
  ]);
  return httpEntry("000-status.conf", [`Listen 127.0.0.1:${STATUS.port}`, ...status]);
}

/** What Apache needs once on a server. Debian's log for all virtual hosts names the site, and is rotated. */
export function serverResources(view: ServerView): readonly Declared[] {
  const options = view.service.options as ApacheOptions;
  return webServer({
    root: ROOT,
    unit: "apache2.service",
    // 000: before all others there, so that ours is the first virtual host.
    include: {
      path: "/etc/apache2/conf-enabled/000-hostwright.conf",
      content: `IncludeOptional ${ROOT}/current/*.conf\n`,
    },
    entries: [defaultEntry(options, listensOn(view, options.httpPort))],
  });
}
