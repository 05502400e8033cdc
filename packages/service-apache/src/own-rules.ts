import { spellings, type OwnRules, type Redirect, type ResponseHeader, type SiteView } from "@hostwright/core";
import { block, NOT_FOUND, rule, type Lines } from "./lines.ts";
import { plainPath, quoteArgument, quoteHeader, quoteTarget } from "./quote.ts";
import { matching } from "./rules.ts";

/** Judged before all other rules: what Apache requires by itself comes after redirects and refusals. */
export function refusal(allowFrom: OwnRules["allowFrom"]): Lines {
  if (allowFrom.length === 0) return [];
  return rule("^", "-", ["F"], ...allowFrom.map((network) => `expr ${quoteArgument(`! -R '${network}'`)}`));
}

/** The site's own password for all but challenges, which PHP does not learn; without one, what a visitor sent is for PHP. */
export function authorization({ ownRules, passwordFile }: SiteView): Lines {
  if (ownRules.basicAuth === null) return block("Location", '"/"', ["CGIPassAuth On"]);
  return [
    ...block("LocationMatch", '"^/(?!\\.well-known/acme-challenge/)"', [
      "AuthType Basic",
      `AuthName ${quoteArgument(ownRules.basicAuth.realm)}`,
      "AuthBasicProvider file",
      `AuthUserFile ${quoteArgument(plainPath(passwordFile))}`,
      "Require valid-user",
    ]),
    `ProxyFCGISetEnvIf "true" !REMOTE_USER`,
  ];
}

/** Instead of what the application sends under the name, and on answers that Apache makes itself. */
export function headers(list: readonly ResponseHeader[]): Lines {
  return list.flatMap(({ name, value }) => [
    `Header onsuccess unset ${name}`,
    `Header always set ${name} ${quoteHeader(value)}`,
  ]);
}

export function redirects(list: readonly Redirect[]): Lines {
  return list.flatMap(({ from, to, status }) => {
    const regex = matching([from]) ?? "";
    const flags = ["NE", `R=${status}`, "L"];
    if ("exact" in from) return rule(regex, quoteTarget(to), flags);
    // Behind a target that ends with a slash another one would name another host.
    const written = `^[^ ]+ ${spellings(from.prefix)}((?:[^/\\x5c?# ][^?# ]*)?)(?:[?# ]|\\z)`;
    return [
      ...rule(regex, `${quoteTarget(to)}%1`, flags, `%{THE_REQUEST} ${quoteArgument(written)}`),
      ...rule(regex, "-", NOT_FOUND),
    ];
  });
}
