import { httpEntry, type Entry, type WebSite } from "@hostwright/core/plugin";
import type { Lines } from "./lines.ts";
import { include } from "./paths.ts";
import { quoteLiteral } from "./quote.ts";

/** What CGI and nginx have under the same name. */
const SAME =
  "query_string request_method content_type content_length request_uri document_uri server_protocol remote_addr remote_port server_addr server_port";

/** What PHP learns of any request. */
export const FASTCGI: Entry = httpEntry("fastcgi.inc", [
  ...SAME.split(" ").map((name) => `fastcgi_param ${name.toUpperCase()} $${name};`),
  "fastcgi_param GATEWAY_INTERFACE CGI/1.1;",
  "fastcgi_param SERVER_SOFTWARE nginx;",
  "fastcgi_param REQUEST_SCHEME $scheme;",
  "fastcgi_param HTTPS $https if_not_empty;",
  "fastcgi_param SERVER_NAME $host;",
  "fastcgi_param REDIRECT_STATUS 200;",
  // A visitor's header "Proxy" must not become PHP's proxy (httpoxy).
  'fastcgi_param HTTP_PROXY "";',
  // Applications send long headers (cache tags); nginx's default of 4k answers them with 502.
  "fastcgi_buffer_size 32k;",
  "fastcgi_buffers 8 32k;",
]);

/** One PHP request: script and path behind it are a literal or, of null, captures of the location. */
export function php({ docroot, php: found }: WebSite, script: string | null): Lines {
  if (found === null) return [];
  const [literal, variable] = script === null ? ["", "$hw_script"] : [script, ""];
  return [
    include(FASTCGI),
    `fastcgi_param DOCUMENT_ROOT ${quoteLiteral(docroot)};`,
    `fastcgi_param SCRIPT_FILENAME ${quoteLiteral(docroot + literal, variable)};`,
    `fastcgi_param SCRIPT_NAME ${quoteLiteral(literal, variable)};`,
    ...(script === null ? ["fastcgi_param PATH_INFO $hw_info;"] : []),
    // An application would take the web server's login for one of its users.
    ...(found.authorization ? [] : ['fastcgi_param HTTP_AUTHORIZATION "";']),
    `fastcgi_read_timeout ${found.seconds}s;`,
    `fastcgi_send_timeout ${found.seconds}s;`,
    `fastcgi_pass ${quoteLiteral(`unix:${found.socket}`)};`,
  ];
}
