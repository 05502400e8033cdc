import {
  ACME_FOLDER,
  CONTRACT,
  DOT_SEGMENT,
  defineHttpService,
  httpEntry,
  oneLine,
  quoteRefused,
  toPcre,
} from "@hostwright/core/plugin";
import { webServer, webServerProblems, webSite } from "@hostwright/core/plugin";
import type { Blame, Declared, ServedName, Entry, ResponseHeader, ServerView } from "@hostwright/core/plugin";
import type {
  ServicePlugin,
  SiteView,
  UrlMatcher,
  WebHost,
  WebSite,
  WebStep,
  WebUpstream,
} from "@hostwright/core/plugin";
import * as z from "zod";

/** A web server that passes the whole suite: Debian's nginx, without what `service-nginx` does for speed and foreign files. */
const ROOT = "/etc/hostwright/example-http";
/** Of root alone (below 1024), so that no site can answer in the web server's name. */
const STATUS = { port: 592, path: "/generation" };
/** Debian's own rule for this folder rotates it. */
const LOG = "access_log /var/log/nginx/example-http.log example_http;";
const NOT_FOUND = "return 404;";

const Options = z.strictObject({
  /** On which all sites answer, on every address. */
  port: z.int().min(1).max(65_535).default(80),
  /** Off only where the kernel has none: nginx would not start. */
  ipv6: z.boolean().default(true),
});
const optionsOf = ({ service }: ServerView): z.output<typeof Options> => service.options as z.output<typeof Options>;

/** Any text as one token; variables in it stay alive. What cannot be quoted is refused: nginx reads 4096 bytes at most. */
function quoted(text: string): string {
  const token = `"${oneLine(text, "nginx's configuration").replace(/[\\"]/g, "\\$&")}"`;
  if (Buffer.byteLength(token) <= 4000) return token;
  throw quoteRefused(text, "nginx's configuration", "it is longer than 4000 bytes");
}

/** A value that holds no variable, and one of ours behind it. nginx has no escape for `$`. */
function literal(value: string, behind = ""): string {
  if (value.includes("$")) throw quoteRefused(value, "nginx's configuration", "it holds $, which begins a variable");
  return quoted(value + behind);
}

const block = (head: string, lines: readonly string[]): readonly string[] => [`${head} {`, ...lines, "}"];

/** Regular expressions are tried in the order in which they are written: that of the steps. */
const locations = (urls: UrlMatcher, lines: readonly string[]): readonly string[] =>
  toPcre(urls, 1500).flatMap((regex) => block(`location ~ ${quoted(regex)}`, lines));

/** A location with headers of its own inherits none: all of them, wherever there is one. */
const headers = (list: readonly ResponseHeader[]): readonly string[] =>
  list.map(({ name, value }) => `add_header ${name} ${literal(value)} always;`);

/** Snippets travel with the generation: nginx loads only `*.conf` by itself. */
const FASTCGI = httpEntry("fastcgi.inc", [
  ..."query_string request_method content_type content_length request_uri document_uri server_protocol remote_addr remote_port server_addr server_port"
    .split(" ")
    .map((name) => `fastcgi_param ${name.toUpperCase()} $${name};`),
  "fastcgi_param SERVER_NAME $host;",
  "fastcgi_param REQUEST_SCHEME $scheme;",
  "fastcgi_param HTTPS $https if_not_empty;",
  "fastcgi_param REDIRECT_STATUS 200;",
  // A visitor's header "Proxy" must not become PHP's proxy (httpoxy).
  'fastcgi_param HTTP_PROXY "";',
  // Applications send long headers; the default of 4k answers them with 502.
  "fastcgi_buffer_size 32k;",
  "fastcgi_buffers 8 32k;",
]);

/** Challenges of certificate authorities, on every name: `/.well-known/acme-challenge/x` is the file `x` of one folder. */
const ACME = httpEntry("acme.inc", [
  "location ^~ /.well-known/acme-challenge/ {",
  `alias ${ACME_FOLDER}/; default_type text/plain; disable_symlinks on;`,
  "}",
]);
const include = ({ name }: Entry): string => `include ${ROOT}/current/${name};`;

/** @param script of the release; null: what the location has captured */
function php({ docroot, php: found }: WebSite, script: string | null): readonly string[] {
  if (found === null) return [];
  const { socket, seconds, authorization } = found;
  const name = script ?? "$hw_script";
  return [
    include(FASTCGI),
    `fastcgi_param DOCUMENT_ROOT ${docroot};`,
    `fastcgi_param SCRIPT_FILENAME ${docroot}${name};`,
    `fastcgi_param SCRIPT_NAME ${name};`,
    ...(script === null ? ["fastcgi_param PATH_INFO $hw_info;"] : []),
    // An application would take the web server's login for one of its users.
    ...(authorization ? [] : ['fastcgi_param HTTP_AUTHORIZATION "";']),
    `fastcgi_read_timeout ${seconds}s; fastcgi_send_timeout ${seconds}s;`,
    `fastcgi_pass unix:${socket};`,
  ];
}

/** A program that speaks HTTP: what a visitor sent under these names is not for it. */
function program({ socket, seconds, authorization }: WebUpstream): readonly string[] {
  return block("location @program", [
    ...block(`if ($request_uri ~* ${quoted(DOT_SEGMENT)})`, [NOT_FOUND]),
    "proxy_http_version 1.1; proxy_redirect off; proxy_buffer_size 32k; proxy_buffers 8 32k;",
    "proxy_set_header Host $host$example_http_port; proxy_set_header X-Forwarded-Host $host$example_http_port;",
    "proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;",
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $example_http_connection;",
    ...["Forwarded", "X-Real-IP", "X-Forwarded-Port", "X-Forwarded-Prefix"].map(
      (name) => `proxy_set_header ${name} "";`,
    ),
    `proxy_set_header Proxy "";${authorization ? "" : ' proxy_set_header Authorization "";'}`,
    `proxy_read_timeout ${seconds}s; proxy_send_timeout ${seconds}s; proxy_pass http://unix:${socket};`,
  ]);
}

const MISSING = { page: "@front", pass: "@program", refuse: "=404", folder: "$uri/ =404" } as const;

function answer(site: WebSite, step: WebStep): readonly string[] {
  if (step.do === "refuse") return [NOT_FOUND];
  if (step.do === "page") return php(site, step.script);
  if (step.do === "script") return [`root ${step.root}; try_files $hw_script =404;`, ...php(site, null)];
  if (step.do === "file") {
    const find = `try_files ${step.index === null ? "$uri" : `\${uri}${step.index}`} ${MISSING[step.missing]};`;
    const aged = site.ages.flatMap(({ urls, seconds }) => locations(urls, [`expires ${seconds}s;`, find]));
    return [`root ${step.root};`, ...headers(site.fileHeaders), ...aged, find];
  }
  const to = (rest: string): string => `return ${step.status} ${literal(step.to, `${rest}$is_args$args`)};`;
  if (step.rest === null) return [to("")];
  return [...block(`if ($request_uri ~ ${quoted(`^${step.rest}`)})`, [to("$hw_rest")]), NOT_FOUND];
}

/** Who may see the site at all. Judged before any location: nginx's `allow` comes after redirects and refusals. */
const gateOf = ({ id }: WebSite): string => `$example_http_${id.replaceAll("-", "_")}`;
const gate = (site: WebSite): readonly string[] => [
  ...block(`geo ${gateOf(site)}`, ["default 0;", ...site.allowFrom.map((network) => `${network} 1;`)]),
  ...block(`map "${gateOf(site)}$uri" ${gateOf(site)}_closed`, [
    `default 0; ${quoted("~^0(?!/[.]well-known/acme-challenge/)")} 1;`,
  ]),
];

/** For `off` nginx asks no password. */
function login({ basicAuth }: WebSite): readonly string[] {
  if (basicAuth === null) return [];
  const asked = [`set $example_http_realm ${literal(basicAuth.realm)};`];
  return [
    "set $example_http_realm off;",
    ...toPcre(basicAuth.urls).flatMap((regex) => block(`if ($uri ~ ${quoted(regex)})`, asked)),
    `auth_basic $example_http_realm; auth_basic_user_file ${basicAuth.file};`,
  ];
}

function pages(site: WebSite): readonly string[] {
  return [
    ...(site.allowFrom.length === 0 ? [] : block(`if (${gateOf(site)}_closed)`, ["return 403;"])),
    ...login(site),
    ...site.headers.map(({ name }) => `${site.program === null ? "fastcgi" : "proxy"}_hide_header ${name};`),
    ...headers(site.headers),
    `client_max_body_size ${site.uploadMegabytes}m;`,
    // Above the root nobody but root can put a link.
    "disable_symlinks if_not_owner from=$document_root;",
    "absolute_redirect off;",
    ...site.steps.flatMap((step) => locations(step.urls, answer(site, step))),
    ...(site.php === null ? [] : block("location @front", php(site, site.php.frontController))),
    ...(site.program === null ? [] : program(site.program)),
  ];
}

function hostAnswer(site: WebSite, host: WebHost): readonly string[] {
  if (host.answer === "site") return pages(site);
  if (host.answer === "redirect")
    return block("location /", [`return 301 $scheme://${host.to}$example_http_port$request_uri;`]);
  return block("location /", [`default_type text/html; return 503 ${literal(host.html)};`, ...headers(host.headers)]);
}

function host({ port, ipv6 }: z.output<typeof Options>, names: readonly string[], lines: readonly string[]) {
  const listen = [`listen ${port};`, ...(ipv6 ? [`listen [::]:${port};`] : [])];
  return block("server", [...listen, `server_name ${names.join(" ")};`, LOG, include(ACME), ...lines]);
}

/** Pure: the same view gives the same text. What a site means to any web server, core has resolved. */
function site(view: SiteView, server: ServerView): Entry {
  const web = webSite(view);
  const hosts = web.hosts.map((one) => host(optionsOf(server), one.names, hostAnswer(web, one)));
  return httpEntry(`${web.id}.conf`, web.allowFrom.length === 0 ? [] : gate(web), ...hosts);
}

/** What all sites share, and who answers for names that nobody serves: the first of all is nginx's default. */
const defaultEntry = (server: ServerView): Entry =>
  httpEntry("000-default.conf", [
    // The longest domain has 253 letters.
    "server_names_hash_bucket_size 512; server_names_hash_max_size 32768;",
    `log_format example_http '$server_name $remote_addr [$time_local] "$request" $status $body_bytes_sent';`,
    'map $http_upgrade $example_http_connection { default upgrade; "" close; }',
    'map $http_host $example_http_port { default ""; "~(?<hw_port>:[0-9]+)$" $hw_port; }',
    ...host(optionsOf(server), ["example-http.invalid"], block("location /", [NOT_FOUND])),
  ]);

function statusEntry(generation: number): Entry {
  const number = `location = ${STATUS.path} { default_type text/plain; return 200 "${generation}\\n"; }`;
  return httpEntry("000-status.conf", [`server { listen 127.0.0.1:${STATUS.port}; access_log off; ${number} }`]);
}

const server = (view: ServerView): readonly Declared[] =>
  webServer({
    root: ROOT,
    unit: "nginx.service",
    include: { path: "/etc/nginx/conf.d/example-http.conf", content: `include ${ROOT}/current/*.conf;\n` },
    entries: [defaultEntry(view), ACME, FASTCGI],
  });

function blame(output: string): Blame | null {
  const [, message, file] = /\[emerg\] (?:\d+#\d+: )?([^\n]*) in (\/[^\n]+):\d+$/m.exec(output) ?? [];
  return message === undefined || file === undefined ? null : { file, message };
}

/** All names that are served, ours too, each with its file. `.example.com` is the name and everything below it. */
function servedNames(dump: string): readonly ServedName[] {
  return dump.split(/^# configuration file (?=.+:$)/m).flatMap((part) => {
    const file = part.slice(0, part.indexOf(":\n"));
    const code = part.replaceAll(/^\s*#.*$/gm, "");
    const words = [...code.matchAll(/\bserver_name\s([^;]+);/g)].flatMap(([, list = ""]) => list.split(/[\s"']+/));
    const names = words.filter((word) => word.includes(".") && !word.startsWith("~"));
    return names
      .flatMap((name) => (name.startsWith(".") ? [name.slice(1), `*${name}`] : [name]))
      .map((name) => ({ name: name.toLowerCase(), file }));
  });
}

export const exampleHttp: ServicePlugin<z.input<typeof Options>> = defineHttpService({
  name: "example-http",
  contract: CONTRACT,
  type: "example-http",
  options: { version: 1, schema: Options },
  packages: () => ["nginx-light"],
  facts: () => ({
    version: { argv: ["nginx", "-v"], parse: ({ stderr }) => /nginx\/([0-9.]+)/.exec(stderr)?.[1] ?? null },
    refused: {
      argv: ["nginx", "-t"],
      parse: ({ exitCode, stderr }) => (exitCode === 0 ? "no" : blame(stderr)),
    },
  }),
  problems: (view) => {
    const refused = view.facts["refused"] as Blame | "no" | null | undefined;
    const names = { name: "nginx", package: "nginx-light", root: ROOT, test: "nginx -t" };
    return webServerProblems(view, names, refused === "no" ? undefined : refused, []);
  },
  role: {
    webUser: "www-data",
    publication: {
      root: ROOT,
      unit: "nginx.service",
      test: ["nginx", "-t"],
      blame,
      errorLog: "/var/log/nginx/error.log",
      status: STATUS,
      statusEntry,
    },
    dump: ["nginx", "-T"],
    servedNames,
    port: (view) => optionsOf(view).port,
    server,
    site: (view, on) => [site(view, on)],
  },
});
