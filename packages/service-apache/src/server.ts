import { directory, file, generations, unit, type Declared, type HttpEntry, type ServerView } from "@hostwright/core";
import type { ApacheOptions } from "./options.ts";
import { ACME_FOLDER, DEFAULT_ENTRY, ENTRIES, ROOT, STATUS, STATUS_ENTRY } from "./paths.ts";
import { host } from "./vhost.ts";

/** Debian has them, and not every server has switched them on. */
const MODULES = ["proxy", "proxy_fcgi", "rewrite", "headers", "alias", "deflate", "filter"];

/** Modules, settings for all sites, and the neutral site for requests that name no site: the first of its listener. */
export function defaultEntry(options: ApacheOptions, listens: boolean): HttpEntry {
  const lines = [
    "# Managed by Hostwright: changes are overwritten.",
    ...MODULES.flatMap((name) => [
      `<IfModule !${name}_module>`,
      `    LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
      "</IfModule>",
    ]),
    ...(listens ? [] : [`Listen ${options.httpPort}`]),
    "DirectorySlash Off",
    // A visitor's header "Proxy" must not become PHP's proxy (httpoxy).
    "RequestHeader unset Proxy early",
    "Header always set X-Content-Type-Options nosniff",
    'Header set Cache-Control "max-age=%{HOSTWRIGHT_AGE}e" env=HOSTWRIGHT_AGE',
    `<Directory "${ACME_FOLDER}/">`,
    "    AllowOverride None",
    "    Options None",
    "    ForceType text/plain",
    "    Require all granted",
    "</Directory>",
    ...host(options, ["hostwright.invalid"], ['RewriteRule "^" "-" "[R=404,L]"']),
  ];
  return { name: DEFAULT_ENTRY, content: `${lines.join("\n")}\n` };
}

/** Answers the generation in force, on loopback only: Apache can say a text of ours as that of an error alone. */
export function statusEntry(generation: number): HttpEntry {
  const content = `Listen 127.0.0.1:${STATUS.port}
<VirtualHost 127.0.0.1:${STATUS.port}>
    ServerName hostwright-status
    CustomLog /dev/null common
    RewriteEngine On
    RewriteRule "^${STATUS.path}$" "-" [R=404,L]
    RewriteRule "^" "-" [R=403,L]
    ErrorDocument 404 "${generation}"
</VirtualHost>
`;
  return { name: STATUS_ENTRY, content };
}

/** What Apache needs once on a server. Debian's log for all virtual hosts names the site, and is rotated. */
export function serverResources(view: ServerView): readonly Declared[] {
  const options = view.service.options as ApacheOptions;
  const listens = (view.facts["listens"] as readonly number[] | null | undefined) ?? [80];
  const { name, content } = defaultEntry(options, listens.includes(options.httpPort));
  return [
    directory({ path: "/etc/hostwright", mode: 0o755, shared: true }),
    directory({ path: ACME_FOLDER, mode: 0o755, shared: true }),
    ...[ROOT, ENTRIES].map((path) => directory({ path, mode: 0o750 })),
    generations({ root: ROOT }),
    file({ path: `${ENTRIES}/${name}`, content, mode: 0o640 }),
    // 000: before all others there, so that ours is the first virtual host.
    file({
      path: "/etc/apache2/conf-enabled/000-hostwright.conf",
      content: `IncludeOptional ${ROOT}/current/*.conf\n`,
      mode: 0o644,
    }),
    directory({ path: "/etc/systemd/system/apache2.service.d", mode: 0o755 }),
    file({
      path: "/etc/systemd/system/apache2.service.d/hostwright.conf",
      content: "[Service]\nLimitNOFILE=65536\n",
      mode: 0o644,
    }),
    unit({ name: "apache2.service", enabled: true, active: true }),
  ];
}
