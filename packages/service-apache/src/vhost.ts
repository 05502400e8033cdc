import { ACME_FOLDER, httpEntry, webSite } from "@hostwright/core/plugin";
import type { Entry, ServerView, SiteView, WebHost, WebSite } from "@hostwright/core/plugin";
import { routingRules } from "./routing-rules.ts";
import { block, NOT_FOUND, rule, type Lines } from "./lines.ts";
import type { ApacheOptions } from "./options.ts";
import { authorization, headers, refusal } from "./own-rules.ts";
import { fastcgi } from "./php.ts";
import { proxied } from "./program.ts";
import { quoteArgument } from "./quote.ts";

/** Challenges of certificate authorities, on every name. */
const ACME: Lines = [
  "RewriteEngine On",
  ...rule("(?s)^/\\.well-known/acme-challenge/([\\w-]+)\\z", `${ACME_FOLDER}/$1`, ["L"]),
  ...rule("(?s)^/\\.well-known/acme-challenge/", "-", NOT_FOUND),
];

/** One virtual host: names, challenges, and what else. */
export function host({ httpPort }: ApacheOptions, [main = "", ...others]: readonly string[], body: Lines): Lines {
  const aliases = others.map((name) => `ServerAlias ${name}`);
  return block("VirtualHost", `*:${httpPort}`, [`ServerName ${main}`, ...aliases, ...ACME, ...body]);
}

function answer(site: WebSite, asked: WebHost): Lines {
  if (asked.answer === "site") return open(site);
  if (asked.answer === "redirect") return redirect(asked.to);
  const page = `ErrorDocument 503 ${quoteArgument(asked.html)}`;
  return [...rule("^", "-", ["R=503", "L"]), ...headers(asked.headers), page];
}

/** With the scheme and port that the visitor used. */
function redirect(to: string): Lines {
  const target = `%{REQUEST_SCHEME}://${to}%{ENV:HOSTWRIGHT_PORT}%1`;
  return [
    ...rule("^", "-", ["E=HOSTWRIGHT_PORT:%1"], '%{HTTP_HOST} "(:[0-9]+)\\z"'),
    ...rule("^", target, ["NE", "R=301", "L"], '%{THE_REQUEST} "^[^ ]+ (/[^ ?]*)"'),
  ];
}

function open(site: WebSite): Lines {
  const { docroot, own, uploadMegabytes } = site;
  const served = [
    "AllowOverride None",
    "Options SymLinksIfOwnerMatch",
    "Require all granted",
    // A folder's URL leads to the one with a slash, once a password was given: a rule would come before it.
    ...(site.php === null && site.program === null ? ["DirectorySlash On"] : []),
    // What a visitor sent as a login is for PHP where no password of the site's own is asked for.
    ...(site.basicAuth === null ? ["CGIPassAuth On"] : []),
  ];
  return [
    `DocumentRoot ${quoteArgument(docroot)}`,
    // A new connection costs as much as some requests; Debian's 100 ends one in the middle of a page.
    "MaxKeepAliveRequests 1000",
    // A file that its site shortens while it is mapped would end the process, with all requests of all sites in it.
    "EnableMMAP Off",
    "EnableSendfile On",
    ...own.prefixes.map((prefix) => `Alias ${quoteArgument(prefix)} ${quoteArgument(`${own.folder}${prefix}`)}`),
    ...fastcgi(site),
    ...proxied(site),
    ...[docroot, own.folder].flatMap((folder) => block("Directory", quoteArgument(`${folder}/`), served)),
    ...headers(site.headers),
    ...authorization(site),
    "",
    ...refusal(site),
    // Apache's own limit does not hold for what it passes on; a body of unknown length meets PHP's.
    ...rule("^", "-", ["R=413", "L"], `expr "req_novary('Content-Length') -gt ${uploadMegabytes * 1024 * 1024}"`),
    ...routingRules(site),
  ];
}

/** A site's entry, pure. */
export function renderSite(view: SiteView, { service }: ServerView): Entry {
  const site = webSite(view);
  const hosts = site.hosts.map((one) => host(service.options as ApacheOptions, one.names, answer(site, one)));
  return httpEntry(`${site.id}.conf`, ...hosts);
}
