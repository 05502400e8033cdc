import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { ResponseHeader } from "../../model/own-rules.ts";
import type { Entry } from "../../contracts/publication.ts";
import type { RuntimeView, SiteView } from "../../contracts/views.ts";
import { agesOf, stepsOf, type CacheAge, type WebStep } from "./routing-rules.ts";
import { hostName, plainId, plainPath, quoteRefused } from "./plain.ts";
import type { UrlMatcher } from "./url-matcher.ts";

/** Names that are answered alike, and how. Challenges of certificate authorities are answered on all of them. */
export type WebHost = {
  /** Host names and wildcards (`*.example.com`), at least one, the main one first: letters, digits, dots and dashes alone. */
  readonly names: readonly string[];
} & (
  | { readonly answer: "site" }
  /** 301 to the same path, query, scheme and port of the host `to`. */
  | { readonly answer: "redirect"; readonly to: string }
  /** 503 with this page and these headers, on every path. */
  | { readonly answer: "closed"; readonly html: string; readonly headers: readonly ResponseHeader[] }
);

/** How a web server reaches what runs a site's code, and what it tells it. */
export interface WebUpstream {
  /** Unix socket. */
  readonly socket: string;
  /** For one request, at least 1. */
  readonly seconds: number;
  /** Does it learn the login that a visitor sent? Not where the web server itself asks for one. */
  readonly authorization: boolean;
}

/**
 * Regular expression, to be taken without regard to case, of paths as visitors write them that hold a dot segment (`/../`,
 * `/%2e/`, `..%2f`). Rules judge the path without them, and a program would get it with them: it is not asked for such
 * URLs, which no browser sends (RFC 3986, 5.2.4).
 */
export const DOT_SEGMENT = "^[^?]*(?:/|%2f)(?:\\.|%2e){1,2}(?:/|%2f|\\?|$)";

/** A site's PHP, over FastCGI. */
export interface WebPhp extends WebUpstream {
  /** Script of the release that makes what is no file. */
  readonly frontController: string;
}

/** A password that the web server asks for by itself: HTTP's `Basic`, answered with 401 where it is missing or wrong. */
export interface WebPassword {
  /** What browsers show. */
  readonly realm: string;
  /** Users and hashes, in the format of htpasswd. */
  readonly file: string;
  /**
   * The URLs whose pages and files need it: all but challenges of certificate authorities. What a step refuses or redirects
   * is answered to everybody.
   */
  readonly urls: UrlMatcher;
}

/**
 * A site as any web server serves it, resolved from its view: what http services render in their own syntax. Names, paths,
 * prefixes and scripts were checked: no sign in them means anything in a configuration. Headers, realm, pages and targets
 * of redirects are to be quoted.
 */
export interface WebSite {
  /** Letters, digits, `_` and `-` alone. */
  readonly id: string;
  readonly hosts: readonly WebHost[];
  /** Folder of the release that URLs map to; also what PHP sees as such. */
  readonly docroot: string;
  /** The site's own folder on the server, and the URL prefixes (`/uploads/`) whose files lie in it, at the same path. */
  readonly own: { readonly folder: string; readonly prefixes: readonly string[] };
  /** Null: no step is a page or a script. */
  readonly php: WebPhp | null;
  /**
   * A program that speaks HTTP and gets what is no file: the URL as the visitor wrote it, unless it is a `DOT_SEGMENT`,
   * the name that was asked for as `Host`, and `X-Forwarded-For`, `-Host` and `-Proto` of this server's own, whatever the
   * visitor sent as such. Null: no step passes anything on.
   */
  readonly program: WebUpstream | null;
  /** Of a request's body, at least 1. */
  readonly uploadMegabytes: number;
  /** Only these addresses and networks get other answers than 403; empty: everybody. Challenges are for everybody. */
  readonly allowFrom: readonly string[];
  /** Null: no password is asked for. */
  readonly basicAuth: WebPassword | null;
  /** On every answer, errors too, instead of what the application sends under the name. */
  readonly headers: readonly ResponseHeader[];
  /** Headers of answers that are files: `headers` and what every site has there. */
  readonly fileHeaders: readonly ResponseHeader[];
  /** Of files; the first that matches decides. */
  readonly ages: readonly CacheAge[];
  /** How a URL of hosts that answer `site` is judged: the first step that matches decides, and the last matches all. */
  readonly steps: readonly WebStep[];
}

const CLOSED = {
  answer: "closed",
  headers: [
    { name: "Retry-After", value: "3600" },
    { name: "Cache-Control", value: "no-store" },
  ],
  html: "<!doctype html><title>Not available</title><h1>This site is not available at the moment.</h1>",
} as const;

const CHALLENGES: UrlMatcher = { prefix: "/.well-known/acme-challenge/" };

const NO_SNIFFING: ResponseHeader = { name: "X-Content-Type-Options", value: "nosniff" };

/**
 * What a site's view means to a web server. Pure. What one web server takes, another takes too: refused is what means
 * something to any of them.
 * @throws HW_QUOTE_REFUSED for names that are no host names, and for paths, scripts and own prefixes with other signs than
 * letters, digits and `_ . @ + - /`; for rules whose text is not valid Unicode. HW_PLUGIN_INVALID for scripts on a platform
 * that needs no PHP
 */
export function webSite(view: SiteView): WebSite {
  const { ownRules, rules, limits, platform, paths } = view;
  const named = (header: string): boolean => ownRules.headers.some(({ name }) => name.toLowerCase() === header);
  return {
    id: plainId(view.id),
    hosts: hostsOf(view),
    docroot: plainPath(platform.docroot),
    own: { folder: plainPath(paths.public), prefixes: rules.ownPaths.map(({ prefix }) => plainPath(prefix)) },
    php: phpOf(view),
    program: programOf(view),
    uploadMegabytes: Math.max(1, Math.ceil(limits.uploadMegabytes)),
    allowFrom: view.enabled ? ownRules.allowFrom : [],
    basicAuth: passwordOf(view),
    headers: ownRules.headers,
    fileHeaders: named("x-content-type-options") ? ownRules.headers : [NO_SNIFFING, ...ownRules.headers],
    ages: named("cache-control") ? [] : agesOf(rules.cache),
    steps: stepsOf(view),
  };
}

function phpOf(view: SiteView): WebPhp | null {
  const { scripts } = view.rules;
  const { runtime, platform } = view;
  if (scripts === null) return null;
  if (runtime?.protocol !== "fastcgi") {
    const what = `The platform type "${platform.type}" has scripts in its web rules, and no need for php`;
    throw new HostwrightError("HW_PLUGIN_INVALID", `${what}. Nothing was changed.`);
  }
  return { frontController: plainPath(scripts.frontController), ...upstream(view, runtime) };
}

function programOf(view: SiteView): WebUpstream | null {
  const { rules, runtime } = view;
  return rules.scripts === null && runtime?.protocol === "http" ? upstream(view, runtime) : null;
}

function upstream({ limits, ownRules }: SiteView, { socket }: RuntimeView): WebUpstream {
  return {
    socket: plainPath(socket),
    seconds: Math.max(1, Math.ceil(limits.requestSeconds)),
    authorization: ownRules.basicAuth === null,
  };
}

function passwordOf({ ownRules: { basicAuth }, passwordFile }: SiteView): WebPassword | null {
  if (basicAuth === null) return null;
  // Of a record that was stored before this was refused there.
  if (basicAuth.realm === "off") throw quoteRefused("off", "a web server's configuration", "it is no realm to nginx");
  return { realm: basicAuth.realm, file: plainPath(passwordFile), urls: { not: CHALLENGES } };
}

function hostsOf({ domain, aliases, aliasMode, enabled }: SiteView): readonly WebHost[] {
  const to = hostName(domain);
  const names = aliases.map(hostName);
  if (!enabled) return [{ names: [to, ...names], ...CLOSED }];
  if (aliasMode === "serve" || names.length === 0) return [{ names: [to, ...names], answer: "site" }];
  return [
    { names: [to], answer: "site" },
    { names, answer: "redirect", to },
  ];
}

/** An entry of these blocks, each some lines, with a comment (`#`) of whose it is and blank lines between them. */
export function httpEntry(name: string, ...blocks: readonly (readonly string[])[]): Entry {
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return { name, content: `# Managed by Hostwright: changes are overwritten.\n${shown.join("\n\n")}\n` };
}
