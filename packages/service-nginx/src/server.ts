import { directory, file, generations, unit, type Declared, type HttpEntry, type ServerView } from "@hostwright/core";
import { foreignOfView } from "./facts.ts";
import type { Foreign } from "./held-names.ts";
import type { NginxOptions } from "./options.ts";
import {
  ACME_FOLDER,
  ACME_SNIPPET,
  DEFAULT_ENTRY,
  ENTRIES,
  FASTCGI_SNIPPET,
  include,
  LOG,
  ROOT,
  STATUS,
  STATUS_ENTRY,
} from "./paths.ts";
import { ACME, FASTCGI } from "./snippets.ts";
import { listen } from "./vhost.ts";

/** Set for all of nginx, and left out where a foreign file sets the same: nginx refuses a setting made twice. */
const SETTINGS: Readonly<Record<string, string>> = {
  // The longest domain, 253 characters; nginx's default of 64 refuses names of 48.
  server_names_hash_bucket_size: "512",
  server_names_hash_max_size: "32768",
  gzip_types: "text/css text/javascript application/javascript application/json application/xml image/svg+xml",
  gzip_vary: "on",
};

/**
 * Settings, and the neutral site for requests that name no site. It never says `default_server`, which would clash with
 * a foreign one (Debian's stock site has it): it is the default by being first, as soon as nobody else claims that.
 */
export function defaultEntry(options: NginxOptions, foreign: Foreign | null): HttpEntry {
  const held = foreign?.settings ?? [];
  const settings = Object.entries(SETTINGS).filter(([name]) => !held.includes(name));
  const lines = [
    "# Managed by Hostwright: changes are overwritten.",
    ...settings.map(([name, value]) => `${name} ${value};`),
    `log_format hostwright '$server_name $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time';`,
    'map $http_host $hostwright_port { default ""; "~(?<hw_port>:[0-9]+)$" $hw_port; }',
    "server {",
    ...[
      ...listen(options),
      "server_name hostwright.invalid;",
      LOG,
      include(ACME_SNIPPET),
      "location / { return 404; }",
    ].map((line) => `    ${line}`),
    "}",
  ];
  return { name: DEFAULT_ENTRY, content: `${lines.join("\n")}\n` };
}

/** Answers the generation in force, on loopback only. */
export function statusEntry(generation: number): HttpEntry {
  const content = `server {
    listen 127.0.0.1:${STATUS.port};
    server_name hostwright-status;
    access_log off;
    location = ${STATUS.path} { default_type text/plain; return 200 "${generation}\\n"; }
    location / { return 404; }
}
`;
  return { name: STATUS_ENTRY, content };
}

/** What nginx needs once on a server. Debian's rule for /var/log/nginx/*.log rotates our log too. */
export function serverResources(view: ServerView): readonly Declared[] {
  const options = view.service.options as NginxOptions;
  const entry = defaultEntry(options, foreignOfView(view));
  const entries = [entry, { name: ACME_SNIPPET, content: ACME }, { name: FASTCGI_SNIPPET, content: FASTCGI }];
  return [
    directory({ path: "/etc/hostwright", mode: 0o755, shared: true }),
    directory({ path: ACME_FOLDER, mode: 0o755, shared: true }),
    ...[ROOT, ENTRIES].map((path) => directory({ path, mode: 0o750 })),
    generations({ root: ROOT }),
    ...entries.map(({ name, content }) => file({ path: `${ENTRIES}/${name}`, content, mode: 0o640 })),
    file({ path: "/etc/nginx/conf.d/hostwright.conf", content: `include ${ROOT}/current/*.conf;\n`, mode: 0o644 }),
    directory({ path: "/etc/systemd/system/nginx.service.d", mode: 0o755 }),
    file({
      path: "/etc/systemd/system/nginx.service.d/hostwright.conf",
      content: "[Service]\nLimitNOFILE=65536\n",
      mode: 0o644,
    }),
    unit({ name: "nginx.service", enabled: true, active: true }),
  ];
}
