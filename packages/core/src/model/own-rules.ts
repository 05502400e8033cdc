import { BlockList, isIPv4, isIPv6 } from "node:net";
import * as z from "zod";
import type { PathPattern } from "./path-pattern.ts";

/** Answers a URL by another one. The first that matches counts; the query is kept. */
export interface Redirect {
  /** One path, or all below one: then what stands behind the prefix is kept, as the visitor wrote it. */
  readonly from: { readonly exact: string } | { readonly prefix: string };
  /** A path of the site or a whole `https://...` URL, percent-encoded, without query; behind a prefix it ends with `/`. */
  readonly to: string;
  /** 307 and 308 keep the method. Default 301. */
  readonly status: 301 | 302 | 307 | 308;
}

export interface ResponseHeader {
  readonly name: string;
  /** Printable ASCII without `$` and backslash. */
  readonly value: string;
}

/** What a site's owner asks of any web server, as data; nothing here can open what its platform keeps shut. */
export interface OwnRules {
  readonly redirects: readonly Redirect[];
  /** On every answer; instead of what the application sends under the same name. */
  readonly headers: readonly ResponseHeader[];
  /** Answered with 404, whatever the platform does there. */
  readonly denied: readonly PathPattern[];
  /** Addresses and networks (`10.0.0.0/8`, `2001:db8::/32`) that alone may see the site; all others get 403. Empty: everybody. */
  readonly allowFrom: readonly string[];
  /** Users who alone may see pages and files. Redirects and 404s are answered to everybody. Null: everybody. */
  readonly basicAuth: { readonly realm: string; readonly users: readonly string[] } | null;
}

export const NO_OWN_RULES: OwnRules = { redirects: [], headers: [], denied: [], allowFrom: [], basicAuth: null };

/** What web servers, connections and logins are run by: saying it twice breaks or opens something. */
const RESERVED =
  /^(?:connection|content-(?:length|encoding|range|type)|date|host|keep-alive|location|server|set-cookie|status|te|trailer|transfer-encoding|upgrade|www-authenticate|x-accel-.*|x-sendfile)$/i;

const PlainText = z
  .string()
  .min(1)
  .max(1000)
  .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), "text without control characters");
const UrlPath = PlainText.refine((path) => path.startsWith("/"), "a path that begins with /")
  .refine((path) => !path.includes("$"), "a path without $")
  .refine((path) => !/\/(?:\.{0,2})\//.test(path), "a path without // or . and ..");
const Prefix = UrlPath.refine((path) => path.endsWith("/"), "a prefix ends with /");

const Pattern: z.ZodType<PathPattern> = z.union(
  [
    z.strictObject({ exact: UrlPath }),
    z.strictObject({ prefix: Prefix }),
    z.strictObject({
      suffix: PlainText.refine((suffix) => !/[/$]/.test(suffix), "without / and $"),
      under: Prefix.exactOptional(),
    }),
    z.strictObject({ segment: PlainText.refine((segment) => !/[/$]/.test(segment), "without / and $") }),
  ],
  "a pattern: { exact }, { prefix }, { suffix, under? } or { segment }",
);

const Target = z
  .string()
  .max(1000)
  .regex(/^(?:[A-Za-z0-9._~!'()*+,;=:@/&-]|%[0-9A-Fa-f]{2})+$/, "a percent-encoded path or URL without query, # and $")
  .refine(
    (to) => /^\/(?!\/)/.test(to) || isWebUrl(to),
    "a path that begins with one /, or a URL with http:// or https://",
  );

function isWebUrl(to: string): boolean {
  return /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?\//.test(to) && URL.canParse(to);
}

const RedirectSchema: z.ZodType<Redirect> = z
  .strictObject({
    from: z.union([z.strictObject({ exact: UrlPath }), z.strictObject({ prefix: Prefix })], "{ exact } or { prefix }"),
    to: Target,
    status: z
      .union([z.literal(301), z.literal(302), z.literal(307), z.literal(308)], "301, 302, 307 or 308")
      .default(301),
  })
  .refine(({ from, to }) => "exact" in from || to.endsWith("/"), "what a prefix leads to ends with /");

const HeaderSchema: z.ZodType<ResponseHeader> = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,59}$/, "a header's name is letters, digits and dashes")
    .refine((name) => !RESERVED.test(name), "this header is the web server's or the application's alone"),
  value: z
    .string()
    .max(2000)
    .regex(/^(?=\S)[ !-#%-[\]-~]*(?<=\S)$/, "printable ASCII without $ and backslash, no blanks around it")
    // To Apache it would be a program.
    .refine((value) => !/^expr=/i.test(value), "does not begin with expr="),
});

const Network = z
  .string()
  .max(60)
  .refine(isNetwork, "an address or a network whose host bits are zero, such as 10.0.0.0/8, and not /0")
  .transform(canonicalNetwork);

function isNetwork(value: string): boolean {
  const [address = "", length, more] = value.split("/");
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !/[%.]/.test(address) ? 128 : 0;
  if (bits === 0 || more !== undefined) return false;
  if (length === undefined) return true;
  if (!/^[1-9]\d{0,2}$/.test(length) || Number(length) > bits) return false;
  return (addressNumber(address) & ((1n << BigInt(bits - Number(length))) - 1n)) === 0n;
}

/** As both web servers take it: not every short form of IPv6 is one to all. */
function canonicalNetwork(network: string): string {
  const [address = "", length] = network.split("/");
  if (isIPv4(address)) return network;
  const digits = addressNumber(address).toString(16).padStart(32, "0");
  return `${(digits.match(/.{4}/g) ?? []).join(":")}${length === undefined ? "" : `/${length}`}`;
}

function addressNumber(address: string): bigint {
  if (isIPv4(address)) return address.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = "", tail] = address.split("::");
  const groups = (text: string | undefined): string[] => (text === undefined || text === "" ? [] : text.split(":"));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => "0"), ...last];
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

export function includesAddress(networks: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [base = "", length] = network.split("/");
    if (isIPv4(base)) list.addSubnet(base, Number(length ?? 32), "ipv4");
    else list.addSubnet(base, Number(length ?? 128), "ipv6");
  }
  return list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}

export const WebUser: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/, "a user is letters, digits, . _ and - (60 at most)");

const BasicAuth = z.strictObject({
  realm: z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9 .,_-]{0,78}[A-Za-z0-9])?$/, "a realm is letters, digits, blanks and . , _ -")
    // To nginx it would be no password at all.
    .refine((realm) => realm !== "off", "a realm other than off")
    .default("Restricted"),
  users: z.array(WebUser).min(1).max(200),
});

/** A change of own rules: what is not given stays, a list that is given replaces the whole list. */
export interface OwnRulesInput {
  readonly redirects?: readonly (Omit<Redirect, "status"> & { readonly status?: Redirect["status"] })[] | undefined;
  readonly headers?: readonly ResponseHeader[] | undefined;
  readonly denied?: readonly PathPattern[] | undefined;
  readonly allowFrom?: readonly string[] | undefined;
  /** The users' passwords are set by `hw.sites.setPassword()`. `realm` is what browsers show; default `Restricted`. */
  readonly basicAuth?: { readonly realm?: string; readonly users: readonly string[] } | null | undefined;
}

export const OwnRulesSchema: z.ZodType<Partial<OwnRules>> = z.strictObject({
  redirects: z.array(RedirectSchema).max(1000).exactOptional(),
  headers: z
    .array(HeaderSchema)
    .max(50)
    .refine((list) => new Set(list.map(({ name }) => name.toLowerCase())).size === list.length, "each header once")
    .exactOptional(),
  denied: z.array(Pattern).max(1000).exactOptional(),
  allowFrom: z
    .array(Network)
    .max(1000)
    .transform((list) => [...new Set(list)])
    .exactOptional(),
  basicAuth: BasicAuth.nullable().exactOptional(),
});

/** Does the rule's path match? The contract of `PathPattern`, on one decoded path. */
export function matchesPath(pattern: PathPattern, path: string): boolean {
  if ("exact" in pattern) return path === pattern.exact;
  if ("prefix" in pattern) return path.startsWith(pattern.prefix);
  if ("segment" in pattern) return path.split("/").slice(1).includes(pattern.segment);
  const under = pattern.under ?? "";
  return path.startsWith(under) && path.slice(under.length).endsWith(pattern.suffix);
}

/**
 * A decoded path as a regular expression (PCRE) on the path as a visitor wrote it: each sign as itself or as its bytes,
 * percent-encoded. For what a redirect keeps: a decoded path would bring line breaks into its answer.
 */
export function spellings(path: string): string {
  return [...Buffer.from(path)]
    .map((byte) => {
      const sign = String.fromCharCode(byte);
      if (/[A-Za-z0-9/_-]/.test(sign)) return sign;
      const hex = byte.toString(16).padStart(2, "0");
      const encoded = `(?i:%${hex})`;
      return byte > 0x20 && byte < 0x7f && !"?#%".includes(sign) ? `(?:\\x${hex}|${encoded})` : encoded;
    })
    .join("");
}
