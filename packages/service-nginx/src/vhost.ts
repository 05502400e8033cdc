import { ACME_FOLDER, httpEntry, webSite } from "@hostwright/core/plugin";
import type { Entry, ServerView, SiteView, WebHost, WebSite } from "@hostwright/core/plugin";
import { routingRules } from "./routing-rules.ts";
import { block, type Lines } from "./lines.ts";
import type { NginxOptions } from "./options.ts";
import { addresses, authorization, headers, refusal } from "./own-rules.ts";
import { include, LOG } from "./paths.ts";
import { quoteLiteral } from "./quote.ts";

/** Challenges of certificate authorities, on every name. */
const CHALLENGE = [`alias ${ACME_FOLDER}/;`, "default_type text/plain;", "disable_symlinks on;"];
export const ACME: Entry = httpEntry("acme.inc", block("location ^~ /.well-known/acme-challenge/", CHALLENGE));

/** One virtual host: names, challenges, and what else. */
export function host({ httpPort, ipv6 }: NginxOptions, names: readonly string[], body: Lines): Lines {
  const listen = [`listen ${httpPort};`, ...(ipv6 ? [`listen [::]:${httpPort};`] : [])];
  return block("server", [...listen, `server_name ${names.join(" ")};`, LOG, include(ACME), ...body]);
}

function answer(site: WebSite, asked: WebHost): Lines {
  if (asked.answer === "site") return open(site);
  if (asked.answer === "redirect")
    return block("location /", [`return 301 $scheme://${asked.to}$hostwright_port$request_uri;`]);
  const page = `return 503 ${quoteLiteral(asked.html)};`;
  return block("location /", ["default_type text/html;", ...headers(asked.headers), page]);
}

function open(site: WebSite): Lines {
  return [
    ...refusal(site),
    ...authorization(site),
    ...site.headers.map(({ name }) => `${site.program === null ? "fastcgi" : "proxy"}_hide_header ${name};`),
    ...headers(site.headers),
    `client_max_body_size ${site.uploadMegabytes}m;`,
    // Above them nobody but root can put a link.
    "disable_symlinks if_not_owner from=$document_root;",
    // To look for foreign links on the way to a file takes longer than to serve it: what is asked for again and again is
    // looked at once a second.
    "open_file_cache max=256 inactive=2s;",
    "open_file_cache_valid 1s;",
    "open_file_cache_min_uses 20;",
    "absolute_redirect off;",
    "",
    ...routingRules(site),
  ];
}

/** A site's entry, pure. */
export function renderSite(view: SiteView, { service }: ServerView): Entry {
  const site = webSite(view);
  const hosts = site.hosts.map((one) => host(service.options as NginxOptions, one.names, answer(site, one)));
  return httpEntry(`${site.id}.conf`, addresses(site), ...hosts);
}
