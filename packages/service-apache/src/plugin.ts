import { CONTRACT, defineHttpService, type ServicePlugin } from "@hostwright/core/plugin";
import type * as z from "zod";
import { blame, dump, facts, problems } from "./facts.ts";
import { servedNames } from "./served-names.ts";
import { ApacheOptions } from "./options.ts";
import { ROOT, STATUS } from "./paths.ts";
import { serverResources, statusEntry } from "./server.ts";
import { renderSite } from "./vhost.ts";

/** Serves sites by Apache 2.4 of Debian with its event module, each by its own PHP socket. No .htaccess is read. */
export const apache: ServicePlugin<z.input<typeof ApacheOptions>> = defineHttpService({
  name: "@hostwright/service-apache",
  contract: CONTRACT,
  type: "apache",
  options: { version: 1, schema: ApacheOptions },
  packages: () => ["apache2"],
  facts: () => facts,
  problems,
  role: {
    webUser: "www-data",
    publication: {
      root: ROOT,
      unit: "apache2.service",
      test: ["apache2ctl", "-t"],
      blame,
      errorLog: "/var/log/apache2/error.log",
      status: STATUS,
      statusEntry,
    },
    dump,
    servedNames,
    port: (server) => (server.service.options as ApacheOptions).httpPort,
    server: serverResources,
    site: (view, server) => [renderSite(view, server)],
  },
});
