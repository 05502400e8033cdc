import { CONTRACT, defineHttpService, type ServicePlugin } from "@hostwright/core/plugin";
import type * as z from "zod";
import { blame, dump, facts, problems } from "./facts.ts";
import { servedNames } from "./served-names.ts";
import { NginxOptions } from "./options.ts";
import { ROOT, STATUS } from "./paths.ts";
import { serverResources, statusEntry } from "./server.ts";
import { renderSite } from "./vhost.ts";

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
    servedNames,
    port: (server) => (server.service.options as NginxOptions).httpPort,
    server: serverResources,
    site: (view, server) => [renderSite(view, server)],
  },
});
