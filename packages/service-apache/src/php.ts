import { regexLiteral, type WebSite } from "@hostwright/core/plugin";
import type { Lines } from "./lines.ts";

/** What PHP learns of any request: where Apache finds a script of the site's own is not where the site's PHP sees it. */
export function fastcgi({ docroot, own, php: found }: WebSite): Lines {
  if (found === null) return [];
  const script = `^(?:proxy:fcgi://[^/]*)?${regexLiteral(own.folder)}(/.*)$`;
  return [
    `ProxyFCGISetEnvIf "reqenv('SCRIPT_FILENAME') =~ m#${script}#" SCRIPT_FILENAME "${docroot}$1"`,
    `ProxyTimeout ${found.seconds}`,
  ];
}

/** The handler of one PHP request, of a site that has PHP. */
export function php({ id, php: found }: WebSite): string {
  return `H=proxy:unix:${found?.socket ?? ""}|fcgi://${id}`;
}
