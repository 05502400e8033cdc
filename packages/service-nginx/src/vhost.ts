import { ALWAYS_DENIED, type HttpEntry, type ServerView, type SiteView } from "@hostwright/core";
import type { NginxOptions } from "./options.ts";
import { ACME_SNIPPET, FASTCGI_SNIPPET, include, LOG } from "./paths.ts";
import { quoteLiteral, quoteToken, regexLiteral, serverName, unixSocket } from "./quote.ts";
import { ANY_PHP, anyOf, cacheGroups, HIDDEN, matching, patternRegex, scripts } from "./rules.ts";

type Lines = readonly string[];

function block(head: string, body: Lines): Lines {
  return [`${head} {`, ...body.map((line) => (line === "" ? "" : `    ${line}`)), "}"];
}

function locations(regexes: readonly string[], body: Lines): Lines {
  return regexes.flatMap((regex) => block(`location ~ ${regex}`, body));
}

export function listen({ httpPort, ipv6 }: NginxOptions): Lines {
  return [`listen ${httpPort};`, ...(ipv6 ? [`listen [::]:${httpPort};`] : [])];
}

function server(options: NginxOptions, names: readonly string[], body: Lines): Lines {
  const head = [...listen(options), `server_name ${names.map(serverName).join(" ")};`, LOG, include(ACME_SNIPPET)];
  return block("server", [...head, ...body]);
}

/** One PHP request: script and path behind it are literals or captures of the location. */
function php(view: SiteView, script: { readonly literal: string } | { readonly variable: string }): Lines {
  const { docroot } = view.platform;
  const [literal, variable] = "literal" in script ? [script.literal, ""] : ["", script.variable];
  const seconds = Math.max(1, Math.ceil(view.limits.requestSeconds));
  return [
    include(FASTCGI_SNIPPET),
    `fastcgi_param DOCUMENT_ROOT ${quoteLiteral(docroot)};`,
    `fastcgi_param SCRIPT_FILENAME ${quoteLiteral(docroot + literal, variable)};`,
    `fastcgi_param SCRIPT_NAME ${quoteLiteral(literal, variable)};`,
    ...(variable === "" ? [] : ["fastcgi_param PATH_INFO $hw_info;"]),
    `fastcgi_read_timeout ${seconds}s;`,
    `fastcgi_send_timeout ${seconds}s;`,
    `fastcgi_pass ${unixSocket(view.phpSocket)};`,
  ];
}

function scriptLocations(view: SiteView, where: "own" | "release"): Lines {
  const root = where === "own" ? view.paths.public : view.platform.docroot;
  const body = [`root ${quoteLiteral(root)};`, "try_files $hw_script =404;", ...php(view, { variable: "$hw_script" })];
  return locations(scripts(view.rules, where), body);
}

/** Files of one folder; `missing` answers when there is none. */
function files(view: SiteView, root: string, missing: "@front" | "=404"): Lines {
  const body = [`try_files $uri ${missing};`];
  return [
    `root ${quoteLiteral(root)};`,
    "add_header X-Content-Type-Options nosniff always;",
    ...cacheGroups(view.rules.cache).flatMap(({ seconds, regexes }) =>
      locations(regexes, [`expires ${seconds}s;`, ...body]),
    ),
    ...body,
  ];
}

/** The order of judgement of `WebRules`. All are regular expressions, which nginx tries as they are written. */
function enabledBody(view: SiteView): Lines {
  const { rules, platform, paths } = view;
  const own = rules.ownPaths.map(({ prefix }) => prefix);
  return [
    `client_max_body_size ${Math.max(1, Math.ceil(view.limits.uploadMegabytes))}m;`,
    "disable_symlinks if_not_owner;",
    "absolute_redirect off;",
    "",
    ...locations(matching(rules.virtual), php(view, { literal: rules.frontController })),
    ...locations(anyOf([HIDDEN, ...[...ALWAYS_DENIED, ...rules.denied].map(patternRegex)]), ["return 404;"]),
    ...rules.phpIndexes.flatMap((folder) => [
      ...block(`location ~ ${quoteToken(`^${regexLiteral(folder)}\\z`)}`, php(view, { literal: `${folder}index.php` })),
      ...block(`location ~ ${quoteToken(`^${regexLiteral(folder.slice(0, -1))}\\z`)}`, [
        `return 301 ${quoteLiteral(folder, "$is_args$args")};`,
      ]),
    ]),
    ...scriptLocations(view, "own"),
    ...scriptLocations(view, "release"),
    ...block(`location ~* ${ANY_PHP}`, ["return 404;"]),
    ...(own.length === 0 ? [] : locations(matching(rules.generated, own), files(view, paths.public, "@front"))),
    ...locations(anyOf(own.map(regexLiteral)), files(view, paths.public, "=404")),
    // Not "location /": nginx tries what is nested in a prefix location before all regular expressions.
    ...block(`location ~ ${quoteToken("^")}`, files(view, platform.docroot, "@front")),
    ...block("location @front", php(view, { literal: rules.frontController })),
  ];
}

const CLOSED: Lines = block("location /", [
  "default_type text/html;",
  "add_header Retry-After 3600 always;",
  "add_header Cache-Control no-store always;",
  'return 503 "<!doctype html><title>Not available</title><h1>This site is not available at the moment.</h1>";',
]);

/** A site's entry, pure. The host name that a redirect names keeps the scheme and port that the visitor used. */
export function renderSite(view: SiteView, serverView: ServerView): HttpEntry {
  const options = serverView.service.options as NginxOptions;
  const all = [view.domain, ...view.aliases];
  const redirect = block("location /", [
    `return 301 $scheme://${serverName(view.domain)}$hostwright_port$request_uri;`,
  ]);
  const blocks = !view.enabled
    ? [server(options, all, CLOSED)]
    : view.aliasMode === "serve" || view.aliases.length === 0
      ? [server(options, all, enabledBody(view))]
      : [server(options, [view.domain], enabledBody(view)), server(options, view.aliases, redirect)];
  return {
    name: `${view.id}.conf`,
    content: `# Managed by Hostwright: changes are overwritten.\n${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`,
  };
}
