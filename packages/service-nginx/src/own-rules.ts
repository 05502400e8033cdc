import { HostwrightError, spellings, type Redirect, type ResponseHeader, type SiteView } from "@hostwright/core";
import { block, locations, type Lines } from "./lines.ts";
import { quoteLiteral, quoteToken } from "./quote.ts";
import { matching } from "./rules.ts";

function variable(name: string, { id }: SiteView): string {
  if (/^[A-Za-z0-9_-]+$/.test(id)) return `$hostwright_${name}_${id.replaceAll("-", "_")}`;
  throw new HostwrightError("HW_QUOTE_REFUSED", `${JSON.stringify(id)} cannot stand in the name of an nginx variable.`);
}

/** Before the site's servers: whether a request comes from where it may. Challenges may come from anywhere. */
export function addresses(view: SiteView): Lines {
  const { allowFrom } = view.ownRules;
  if (!view.enabled || allowFrom.length === 0) return [];
  const from = variable("from", view);
  return [
    ...block(`geo ${from}`, ["default 0;", ...allowFrom.map((network) => `${network} 1;`)]),
    ...block(`map ${quoteToken(`${from}$uri`)} ${variable("refused", view)}`, [
      "default 0;",
      `${quoteToken("~^0(?!/[.]well-known/acme-challenge/)")} 1;`,
    ]),
  ];
}

/** Judged before any location: `allow` and `deny` of nginx come after redirects and refusals. */
export function refusal(view: SiteView): Lines {
  return view.ownRules.allowFrom.length === 0 ? [] : block(`if (${variable("refused", view)})`, ["return 403;"]);
}

export function basicAuth({ ownRules, passwordFile }: SiteView): Lines {
  if (ownRules.basicAuth === null) return [];
  return [
    `auth_basic ${quoteLiteral(ownRules.basicAuth.realm)};`,
    `auth_basic_user_file ${quoteLiteral(passwordFile)};`,
  ];
}

/** Of several with one name the last. */
export function headers(list: readonly ResponseHeader[]): Lines {
  const byName = new Map(list.map((header) => [header.name.toLowerCase(), header]));
  return [...byName.values()].map(({ name, value }) => `add_header ${name} ${quoteLiteral(value)} always;`);
}

export function hiddenHeaders(list: readonly ResponseHeader[]): Lines {
  return list.map(({ name }) => `fastcgi_hide_header ${name};`);
}

export function redirects(list: readonly Redirect[]): Lines {
  return list.flatMap(({ from, to, status }) => {
    const answer = (rest: string): string => `return ${status} ${quoteLiteral(to, `${rest}$is_args$args`)};`;
    if ("exact" in from) return locations(matching([from]), [answer("")]);
    // Behind a target that ends with a slash another one would name another host.
    const written = `^${spellings(from.prefix)}(?<hw_rest>(?:[^/\\x5c?#][^?#]*)?)(?:[?#]|\\z)`;
    return locations(matching([from]), [
      ...block(`if ($request_uri ~ ${quoteToken(written)})`, [answer("$hw_rest")]),
      "return 404;",
    ]);
  });
}
