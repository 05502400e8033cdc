import { file, httpEntry, webServer, type Declared, type Entry, type ServerView } from "@hostwright/core/plugin";
import { foreignIn } from "./facts.ts";
import type { Foreign } from "./served-names.ts";
import { block, NOT_FOUND } from "./lines.ts";
import type { NginxOptions } from "./options.ts";
import { COMPILED, ROOT, STATUS } from "./paths.ts";
import { FASTCGI } from "./php.ts";
import { PROXY } from "./program.ts";
import { ACME, host } from "./vhost.ts";

/** Set for all of nginx, and left out where a foreign file sets the same: nginx refuses a setting made twice. */
const SETTINGS = [
  // The longest domain, 253 characters; nginx's default of 64 refuses names of 48.
  "server_names_hash_bucket_size 512;",
  "server_names_hash_max_size 32768;",
  "gzip_types text/css text/javascript application/javascript application/json application/xml image/svg+xml;",
  "gzip_vary on;",
];

/**
 * Settings, and the neutral site for requests that name no site: before every other of its listener. It never says
 * `default_server`, which would clash with a foreign one (Debian's stock site has it): it is the default by being first, as
 * soon as nobody else claims that.
 */
export function defaultEntry(options: NginxOptions, { settings }: Foreign): Entry {
  return httpEntry("000-default.conf", [
    ...SETTINGS.filter((line) => settings.every((name) => !line.startsWith(`${name} `))),
    `log_format hostwright '$server_name $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time';`,
    'map $http_host $hostwright_port { default ""; "~(?<hw_port>:[0-9]+)$" $hw_port; }',
    'map $http_upgrade $hostwright_connection { default upgrade; "" close; }',
    ...host(options, ["hostwright.invalid"], block("location /", NOT_FOUND)),
  ]);
}

/** Answers the generation in force, on loopback only. */
export function statusEntry(generation: number): Entry {
  const status = block("server", [
    `listen 127.0.0.1:${STATUS.port};`,
    "server_name hostwright-status;",
    "access_log off;",
    `location = ${STATUS.path} { default_type text/plain; return 200 "${generation}\\n"; }`,
    ...block("location /", NOT_FOUND),
  ]);
  return httpEntry("000-status.conf", status);
}

/** What nginx needs once on a server. Debian's rule for /var/log/nginx/*.log rotates our log too. */
export function serverResources(view: ServerView): readonly Declared[] {
  const declared = webServer({
    root: ROOT,
    unit: "nginx.service",
    include: { path: "/etc/nginx/conf.d/hostwright.conf", content: `include ${ROOT}/current/*.conf;\n` },
    entries: [defaultEntry(view.service.options as NginxOptions, foreignIn(view)), ACME, FASTCGI, PROXY],
  });
  return foreignIn(view).settings.includes("pcre_jit") ? declared : [...declared, file({ ...COMPILED, mode: 0o644 })];
}
