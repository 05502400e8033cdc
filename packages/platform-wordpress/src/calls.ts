import type { Application, DriverCall, SiteView } from "@hostwright/core/plugin";
import type { WordPressSiteOptions } from "./options.ts";
import { driverSource } from "./php-sources.ts";

/** Folder of the sandbox's own empty /run: there is one for as long as the call lasts. */
const SEED_AT = "/run/hostwright-seed";

const common = ({ platform, domain }: SiteView): { readonly docroot: string; readonly domain: string } => ({
  docroot: platform.docroot,
  domain,
});

/** Copies the release's themes, plugins and languages; what is there already stays as it is. */
function seed(view: SiteView): DriverCall {
  return {
    command: "seed",
    input: { from: SEED_AT, to: `${view.paths.public}/wp-content` },
    timeoutMs: 300_000,
    binds: [{ source: `${view.platform.docroot}/wp-content`, at: SEED_AT, writable: false }],
  };
}

function install(view: SiteView): DriverCall {
  return {
    command: "install",
    input: {
      ...common(view),
      title: view.title,
      adminUser: view.adminUser,
      adminEmail: view.adminEmail,
      adminPassword: view.secret("admin-password", "administrator's password"),
      locale: (view.options as WordPressSiteOptions).locale,
      validSeconds: 900,
    },
    timeoutMs: 300_000,
  };
}

function loginLink(view: SiteView): DriverCall {
  return {
    command: "login-link",
    input: { ...common(view), adminUser: view.adminUser, validSeconds: 900 },
    timeoutMs: 60_000,
  };
}

function status(view: SiteView): DriverCall {
  return { command: "status", input: common(view), timeoutMs: 60_000 };
}

export const application: Application = {
  driver: {
    name: "wordpress.php",
    get source(): string {
      return driverSource();
    },
  },
  seed,
  install,
  loginLink,
  status,
};
