import { ALWAYS_DENIED, type HttpEntry, type ServerView, type SiteView } from "@hostwright/core";
import type { ApacheOptions } from "./options.ts";
import { ACME_FOLDER } from "./paths.ts";
import { plainPath, plainUrl, quoteArgument, regexLiteral, serverName } from "./quote.ts";
import { ANY_PHP, anyOf, cacheGroups, HIDDEN, matching, patternRegex, scripts } from "./rules.ts";

type Lines = readonly string[];

function block(name: string, argument: string, body: Lines): Lines {
  return [`<${name} ${argument}>`, ...body.map((line) => (line === "" ? "" : `    ${line}`)), `</${name}>`];
}

/** With conditions on the server's own view of the path; a substitution of `-` changes nothing. */
function rule(pattern: string, substitution: string, flags: Lines, ...conditions: Lines): Lines {
  return [
    ...conditions.map((condition) => `RewriteCond ${condition}`),
    `RewriteRule ${quoteArgument(pattern)} ${quoteArgument(substitution)} ${quoteArgument(`[${flags.join(",")}]`)}`,
  ];
}

const NOT_FOUND = ["R=404", "L"];

/** Challenges of certificate authorities, on every name. */
export const ACME: Lines = [
  "RewriteEngine On",
  ...rule("(?s)^/\\.well-known/acme-challenge/([\\w-]+)\\z", `${ACME_FOLDER}/$1`, ["L"]),
  ...rule("(?s)^/\\.well-known/acme-challenge/", "-", NOT_FOUND),
];

export function host(options: ApacheOptions, names: readonly string[], body: Lines): Lines {
  const [main = "", ...others] = names.map(serverName);
  const aliases = others.map((name) => `ServerAlias ${name}`);
  return block("VirtualHost", `*:${options.httpPort}`, [`ServerName ${main}`, ...aliases, ...ACME, ...body]);
}

/** `path` as the request has it now, below a folder. */
const isFile = (folder: string, path: string): string => `${quoteArgument(`${plainPath(folder)}${path}`)} -f`;
const isNoFile = (folder: string, path: string): string => `${quoteArgument(`${plainPath(folder)}${path}`)} !-f`;

function php({ id, phpSocket }: SiteView): string {
  return `H=proxy:unix:${plainPath(phpSocket)}|fcgi://${serverName(id)}`;
}

function scriptRules(view: SiteView, where: "own" | "release"): Lines {
  const root = where === "own" ? view.paths.public : view.platform.docroot;
  return scripts(view.rules, where).flatMap((regex) => [
    ...rule(regex, "-", [php(view), "L"], isFile(root, "$1")),
    ...rule(regex, "-", NOT_FOUND),
  ]);
}

/** Ages of what is served as a file from here on, and the end of the judgement; `skip` leads past all of it. */
function asFile({ rules }: SiteView, skip: (count: string) => Lines): Lines {
  const ages = cacheGroups(rules.cache);
  // The first that matches decides: it is asked last.
  const set = ages.toReversed().flatMap(({ seconds, regex }) => rule(regex, "-", [`E=HOSTWRIGHT_AGE:${seconds}`]));
  return [...skip(`S=${ages.length + 1}`), ...set, ...rule("^", "-", ["L"])];
}

/** The order of judgement of `WebRules`, by rewrite rules alone: Apache's own sections are judged in another order. */
function judgement(view: SiteView): Lines {
  const { rules, platform, paths } = view;
  const own = rules.ownPaths.map(({ prefix }) => prefix);
  const denied = anyOf([HIDDEN, ...[...ALWAYS_DENIED, ...rules.denied].map(patternRegex)]);
  const below = anyOf(own.map(regexLiteral));
  const generated = own.length === 0 ? null : matching(rules.generated, own);
  const front = [php(view), "PT", "L"];
  const uri = "%{REQUEST_URI}";
  const virtual = matching(rules.virtual);
  return [
    ...(virtual === null ? [] : rule(virtual, plainUrl(rules.frontController), front)),
    ...(denied === null ? [] : rule(denied, "-", NOT_FOUND)),
    ...rules.phpIndexes.flatMap((folder) => [
      ...rule(`(?s)^${regexLiteral(folder)}\\z`, `${plainUrl(folder)}index.php`, front),
      ...rule(`(?s)^${regexLiteral(folder.slice(0, -1))}\\z`, plainUrl(folder), ["R=301", "L"]),
    ]),
    ...scriptRules(view, "own"),
    ...scriptRules(view, "release"),
    ...rule(ANY_PHP, "-", NOT_FOUND),
    ...(generated === null ? [] : rule(generated, plainUrl(rules.frontController), front, isNoFile(paths.public, uri))),
    ...(below === null
      ? []
      : [
          ...rule(below, "-", NOT_FOUND, isNoFile(paths.public, uri)),
          ...asFile(view, (skip) => rule(`!${below}`, "-", [skip])),
        ]),
    ...asFile(view, (skip) => rule("^", "-", [skip], isNoFile(platform.docroot, uri))),
    ...rule("^", plainUrl(rules.frontController), front),
  ];
}

function enabledBody(view: SiteView): Lines {
  const { platform, paths, limits, rules } = view;
  const seconds = Math.max(1, Math.ceil(limits.requestSeconds));
  const bytes = Math.max(1, Math.ceil(limits.uploadMegabytes)) * 1024 * 1024;
  const folder = (path: string): Lines =>
    block("Directory", quoteArgument(`${plainPath(path)}/`), [
      "AllowOverride None",
      "Options SymLinksIfOwnerMatch",
      "Require all granted",
    ]);
  return [
    `DocumentRoot ${quoteArgument(plainPath(platform.docroot))}`,
    ...rules.ownPaths.map(
      ({ prefix }) =>
        `Alias ${quoteArgument(plainUrl(prefix))} ${quoteArgument(`${plainPath(paths.public)}${plainPath(prefix)}`)}`,
    ),
    // Where Apache finds a script of the site's own is not where the site's PHP sees it.
    `ProxyFCGISetEnvIf "reqenv('SCRIPT_FILENAME') =~ m#^(?:proxy:fcgi://[^/]*)?${regexLiteral(paths.public)}(/.*)$#" SCRIPT_FILENAME "${plainPath(platform.docroot)}$1"`,
    `ProxyTimeout ${seconds}`,
    ...folder(platform.docroot),
    ...folder(paths.public),
    "",
    // Apache's own limit does not hold for what it passes on; a body of unknown length meets PHP's.
    ...rule("^", "-", ["R=413", "L"], `expr "%{HTTP:Content-Length} -gt ${bytes}"`),
    ...judgement(view),
  ];
}

const CLOSED: Lines = [
  ...rule("^", "-", ["R=503", "L"]),
  "Header always set Retry-After 3600",
  "Header always set Cache-Control no-store",
  'ErrorDocument 503 "<!doctype html><title>Not available</title><h1>This site is not available at the moment.</h1>"',
];

/** The host name that a redirect names keeps the scheme and port that the visitor used. */
function redirect(domain: string): Lines {
  return [
    ...rule("^", "-", ["E=HOSTWRIGHT_PORT:%1"], '%{HTTP_HOST} "(:[0-9]+)\\z"'),
    ...rule(
      "^",
      `%{REQUEST_SCHEME}://${serverName(domain)}%{ENV:HOSTWRIGHT_PORT}%1`,
      ["NE", "R=301", "L"],
      '%{THE_REQUEST} "^[^ ]+ (/[^ ?]*)"',
    ),
  ];
}

/** A site's entry, pure. */
export function renderSite(view: SiteView, serverView: ServerView): HttpEntry {
  const options = serverView.service.options as ApacheOptions;
  const all = [view.domain, ...view.aliases];
  const hosts = !view.enabled
    ? [host(options, all, CLOSED)]
    : view.aliasMode === "serve" || view.aliases.length === 0
      ? [host(options, all, enabledBody(view))]
      : [host(options, [view.domain], enabledBody(view)), host(options, view.aliases, redirect(view.domain))];
  return {
    name: `${view.id}.conf`,
    content: `# Managed by Hostwright: changes are overwritten.\n${hosts.map((lines) => lines.join("\n")).join("\n\n")}\n`,
  };
}
