import { DOT_SEGMENT, httpEntry, type Entry, type WebUpstream } from "@hostwright/core/plugin";
import { block, NOT_FOUND, type Lines } from "./lines.ts";
import { include } from "./paths.ts";
import { quoteLiteral, quoteToken } from "./quote.ts";

const NAME = "$host$hostwright_port";

/** What a program learns of any request; of what a visitor sent under these names nothing. */
export const PROXY: Entry = httpEntry("proxy.inc", [
  "proxy_http_version 1.1;",
  `proxy_set_header Host ${NAME};`,
  `proxy_set_header X-Forwarded-Host ${NAME};`,
  "proxy_set_header X-Forwarded-For $remote_addr;",
  "proxy_set_header X-Forwarded-Proto $scheme;",
  "proxy_set_header Upgrade $http_upgrade;",
  "proxy_set_header Connection $hostwright_connection;",
  ...["Forwarded", "X-Real-IP", "X-Forwarded-Port", "X-Forwarded-Prefix"].map((name) => `proxy_set_header ${name} "";`),
  // A visitor's header "Proxy" must not become the program's proxy (httpoxy).
  'proxy_set_header Proxy "";',
  "proxy_redirect off;",
  "proxy_buffer_size 32k;",
  "proxy_buffers 8 32k;",
]);

export function program({ socket, seconds, authorization }: WebUpstream): Lines {
  return block("location @program", [
    ...block(`if ($request_uri ~* ${quoteToken(DOT_SEGMENT)})`, NOT_FOUND),
    include(PROXY),
    ...(authorization ? [] : ['proxy_set_header Authorization "";']),
    `proxy_read_timeout ${seconds}s;`,
    `proxy_send_timeout ${seconds}s;`,
    `proxy_pass ${quoteLiteral(`http://unix:${socket}`)};`,
  ]);
}
