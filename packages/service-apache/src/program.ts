import type { WebSite } from "@hostwright/core/plugin";
import { block, rule, type Lines } from "./lines.ts";

/** What a program learns of any request; of what a visitor sent under these names nothing. */
export function proxied({ id, program: found }: WebSite): Lines {
  if (found === null) return [];
  return [
    // What a URL names is judged decoded, and passed on as it was written.
    "AllowEncodedSlashes On",
    "ProxyPreserveHost On",
    `ProxyTimeout ${found.seconds}`,
    // Apache adds its own to what is there.
    ...["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Server"].map((name) => `RequestHeader unset ${name}`),
    'RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"',
    ...(found.authorization ? [] : ["RequestHeader unset Authorization"]),
    ...block("Proxy", `"unix:${found.socket}|http://${id}"`, ["ProxySet upgrade=ANY"]),
  ];
}

/** The program answers, with the URL as the visitor wrote it. */
export function pass({ id, program: found }: WebSite, regex: string, ...conditions: Lines): Lines {
  const written = '%{THE_REQUEST} "^[^ ]+ (?:[a-z]+://[^/ ]*)?(/[^ ?]*)"';
  return rule(regex, `unix:${found?.socket ?? ""}|http://${id}%1`, ["P", "NE"], ...conditions, written);
}
