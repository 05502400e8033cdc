import { regexLiteral, type WebSite } from "@hostwright/core/plugin";
import type { Lines } from "./lines.ts";

/** What PHP learns of any request: where Apache finds a script of the site's own is not where the site's PHP sees it. */
export function fastcgi({ docroot, own, php: { seconds } }: WebSite): Lines {
  const found = `^(?:proxy:fcgi://[^/]*)?${regexLiteral(own.folder)}(/.*)$`;
  return [
    `ProxyFCGISetEnvIf "reqenv('SCRIPT_FILENAME') =~ m#${found}#" SCRIPT_FILENAME "${docroot}$1"`,
    `ProxyTimeout ${seconds}`,
  ];
}

/** The handler of one PHP request. */
export function php({ id, php: { socket } }: WebSite): string {
  return `H=proxy:unix:${socket}|fcgi://${id}`;
}
