import { toPcre, type ResponseHeader, type WebAnswer, type WebSite } from "@hostwright/core/plugin";
import { block, NOT_FOUND, rule, type Lines } from "./lines.ts";
import { quoteArgument, quoteHeader, quoteTarget } from "./quote.ts";

/** Judged before all other rules: what Apache requires by itself comes after redirects and refusals. */
export function refusal({ allowFrom }: WebSite): Lines {
  if (allowFrom.length === 0) return [];
  return rule("^", "-", ["F"], ...allowFrom.map((network) => `expr ${quoteArgument(`! -R '${network}'`)}`));
}

/** The site's own password, which PHP does not learn. */
export function authorization({ basicAuth }: WebSite): Lines {
  if (basicAuth === null) return [];
  const asked = [
    "AuthType Basic",
    `AuthName ${quoteArgument(basicAuth.realm)}`,
    "AuthBasicProvider file",
    `AuthUserFile ${quoteArgument(basicAuth.file)}`,
    "Require valid-user",
  ];
  return [
    ...toPcre(basicAuth.urls).flatMap((regex) => block("LocationMatch", quoteArgument(regex), asked)),
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

export function redirect(regex: string, { to, status, rest }: Extract<WebAnswer, { do: "redirect" }>): Lines {
  const flags = ["NE", `R=${status}`, "L"];
  if (rest === null) return rule(regex, quoteTarget(to), flags);
  const written = `%{THE_REQUEST} ${quoteArgument(`^[^ ]+ ${rest}`)}`;
  return [...rule(regex, `${quoteTarget(to)}%1`, flags, written), ...rule(regex, "-", NOT_FOUND)];
}
