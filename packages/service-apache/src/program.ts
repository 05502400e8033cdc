import { DOT_SEGMENT, type WebSite } from "@hostwright/core/plugin";
import { block, rule, type Lines } from "./lines.ts";
import { quoteArgument } from "./quote.ts";

/** What a program learns of any request; of what a visitor sent under these names nothing. */
export function proxied({ id, program: found }: WebSite): Lines {
  if (found === null) return [];
  return [
    // What a URL names is judged decoded, and passed on as it was written.
    "AllowEncodedSlashes On",
    "ProxyPreserveHost On",
    `ProxyTimeout ${found.seconds}`,
    // Apache adds its own to what is there.
    ...["Forwarded", "X-Real-IP", "X-Forwarded-For"].map((name) => `RequestHeader unset ${name}`),
    ...["Host", "Server", "Port", "Prefix"].map((name) => `RequestHeader unset X-Forwarded-${name}`),
    'RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"',
    ...(found.authorization ? [] : ["RequestHeader unset Authorization"]),
    ...block("Proxy", `"unix:${found.socket}|http://${id}"`, ["ProxySet upgrade=ANY disablereuse=On"]),
  ];
}

/** The program answers, with the URL as the visitor wrote it. */
export function pass({ id, program: found }: WebSite, regex: string, ...conditions: Lines): Lines {
  // Without scheme, host and query.
  const written = '%{THE_REQUEST} "^[^ ]+ (?:[a-z]+://[^/ ?#]*)?(/[^ ?#]*)"';
  const plain = `%1 ${quoteArgument(`!${DOT_SEGMENT}`)} [NC]`;
  return rule(regex, `unix:${found?.socket ?? ""}|http://${id}%1`, ["P", "NE"], ...conditions, written, plain);
}
