import { toPcre, type ResponseHeader, type WebAnswer, type WebSite } from "@hostwright/core/plugin";
import { block, NOT_FOUND, type Lines } from "./lines.ts";
import { quoteLiteral, quoteToken } from "./quote.ts";

const variable = (name: string, { id }: WebSite): string => `$hostwright_${name}_${id.replaceAll("-", "_")}`;

/** Before the site's servers: whether a request comes from where it may. Challenges may come from anywhere. */
export function addresses(site: WebSite): Lines {
  if (site.allowFrom.length === 0) return [];
  const from = variable("from", site);
  const refused = ["default 0;", `${quoteToken("~^0(?!/[.]well-known/acme-challenge/)")} 1;`];
  return [
    ...block(`geo ${from}`, ["default 0;", ...site.allowFrom.map((network) => `${network} 1;`)]),
    ...block(`map ${quoteToken(`${from}$uri`)} ${variable("refused", site)}`, refused),
  ];
}

/** Judged before any location: `allow` and `deny` of nginx come after redirects and refusals. */
export function refusal(site: WebSite): Lines {
  return site.allowFrom.length === 0 ? [] : block(`if (${variable("refused", site)})`, ["return 403;"]);
}

export function authorization({ basicAuth }: WebSite): Lines {
  if (basicAuth === null) return [];
  const asked = [`set $hostwright_realm ${quoteLiteral(basicAuth.realm)};`];
  return [
    "set $hostwright_realm off;",
    ...toPcre(basicAuth.urls).flatMap((regex) => block(`if ($uri ~ ${quoteToken(regex)})`, asked)),
    "auth_basic $hostwright_realm;",
    `auth_basic_user_file ${quoteLiteral(basicAuth.file)};`,
  ];
}

export function headers(list: readonly ResponseHeader[]): Lines {
  return list.map(({ name, value }) => `add_header ${name} ${quoteLiteral(value)} always;`);
}

export function redirect({ to, status, rest }: Extract<WebAnswer, { do: "redirect" }>): Lines {
  const answer = (behind: string): string => `return ${status} ${quoteLiteral(to, `${behind}$is_args$args`)};`;
  if (rest === null) return [answer("")];
  return [...block(`if ($request_uri ~ ${quoteToken(`^${rest}`)})`, [answer("$hw_rest")]), ...NOT_FOUND];
}
