import {
  CONTRACT,
  defineHttpService,
  definePlatform,
  text,
  type HttpRole,
  type PlatformRole,
  type ServerView,
  type SiteSeed,
  type SiteView,
  type Plugin,
} from "@hostwright/core/plugin";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { serviceOf } from "@hostwright/testing";
import * as z from "zod";

const service = serviceOf(nginx, "http");
const application = wordpress.platforms?.[0];
const program = application?.role.application;
if (application === undefined || program === undefined) throw new Error("a plugin lacks what is wrapped here");
const { role: http } = service;
const { role: platform } = application;

/** In each vhost and each settings file that version 2 renders. */
export const MARK = "rendered by version 2";

interface HttpOptions {
  readonly port: number;
  readonly ipv6: boolean;
}

const httpOptions = z.strictObject({ port: z.int(), ipv6: z.boolean() });
const siteOptions = z.strictObject({ language: z.string(), tablePrefix: z.string() });

/** The wrapped functions know the options of version 1. */
function oldServer(view: ServerView): ServerView {
  const { port, ipv6 } = view.service.options as HttpOptions;
  return { ...view, service: { ...view.service, options: { httpPort: port, ipv6 } } };
}

function old<View extends SiteView | SiteSeed>(view: View): View {
  const { language, tablePrefix } = view.options as z.output<typeof siteOptions>;
  return { ...view, options: { locale: language, tablePrefix } };
}

const httpRole: HttpRole = {
  ...http,
  port: (view) => http.port(oldServer(view)),
  server: (view) => http.server(oldServer(view)),
  site: (view, server) =>
    http.site(view, oldServer(server)).map((entry) => ({ ...entry, content: `${entry.content}# ${MARK}\n` })),
};

/** nginx as a later version may be: one option has another name, and each vhost another line. */
const nginx2 = defineHttpService({
  name: nginx.name,
  contract: CONTRACT,
  type: service.type,
  options: {
    version: 2,
    schema: httpOptions,
    migrate: (options) => {
      const { httpPort, ipv6 } = options as { readonly httpPort: number; readonly ipv6: boolean };
      return { port: httpPort, ipv6 };
    },
  },
  packages: () => service.packages({}),
  facts: () => service.facts({}),
  problems: (view) => service.problems(oldServer(view)),
  role: httpRole,
});

const platformRole: PlatformRole = {
  ...platform,
  ownFolders: (site) => platform.ownFolders(old(site)),
  confFolders: (site) => platform.confFolders(old(site)),
  binds: (site) => platform.binds(old(site)),
  webRules: (site) => platform.webRules(old(site)),
  settings: (view) =>
    platform
      .settings(old(view))
      .map((file) => (file.path.endsWith(".php") ? { ...file, content: text`${file.content}// ${MARK}\n` } : file)),
  application: {
    driver: { name: program.driver.name, source: `${program.driver.source}\n// ${MARK}\n` },
    seed: (view) => program.seed(old(view)),
    install: (view) => program.install(old(view)),
    loginLink: (view) => program.loginLink(old(view)),
    status: (view) => program.status(old(view)),
  },
};

/** WordPress as a later version may be: driver, settings and the name of a site's option differ. */
const wordpress2 = definePlatform({
  name: wordpress.name,
  contract: CONTRACT,
  type: application.type,
  options: application.options,
  siteOptions: {
    version: 2,
    schema: siteOptions,
    migrate: (options) => {
      const { locale, tablePrefix } = options as { readonly locale: string; readonly tablePrefix: string };
      return { language: locale, tablePrefix };
    },
  },
  role: platformRole,
});

export const VERSION_1: readonly Plugin[] = [nginx, phpFpm, mysql, wordpress];
export const VERSION_2: readonly Plugin[] = [nginx2, phpFpm, mysql, wordpress2];
