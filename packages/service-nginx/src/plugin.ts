import { CONTRACT, defineHttpService, type ServicePlugin } from "@hostwright/core";
import type * as z from "zod";
import { dump, facts, problems } from "./facts.ts";
import { heldNames } from "./held-names.ts";
import { NginxOptions } from "./options.ts";
import { ROOT, STATUS } from "./paths.ts";
import { serverResources, statusEntry } from "./server.ts";
import { renderSite } from "./vhost.ts";

/** The file, if any, that nginx names as the reason: `nginx: [emerg] unknown directive "x" in /etc/nginx/a.conf:3`. */
function blame(output: string): { readonly file: string; readonly message: string } | null {
  for (const line of output.split("\n")) {
    const message = /\[(?:emerg|alert|crit)\] (?:\d+#\d+: )?(.*)$/.exec(line)?.[1];
    const file = message === undefined ? undefined : / in (\/.+):\d+$/.exec(message)?.[1];
    if (message !== undefined && file !== undefined) return { file, message };
  }
  return null;
}

/** Serves sites by nginx of Debian (1.18 and later), each by its own PHP socket. */
export const nginx: ServicePlugin<z.input<typeof NginxOptions>> = defineHttpService({
  name: "@hostwright/service-nginx",
  contract: CONTRACT,
  type: "nginx",
  options: { version: 1, schema: NginxOptions },
  packages: () => ["nginx-light"],
  facts: () => facts,
  problems,
  role: {
    webUser: "www-data",
    publication: {
      root: ROOT,
      unit: "nginx.service",
      test: ["nginx", "-t"],
      blame,
      errorLog: "/var/log/nginx/error.log",
      status: STATUS,
      statusEntry,
    },
    dump,
    heldNames,
    port: (server) => (server.service.options as NginxOptions).httpPort,
    server: serverResources,
    site: (view, server) => [renderSite(view, server)],
  },
});
