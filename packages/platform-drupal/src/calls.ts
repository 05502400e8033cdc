import type { Application, DriverCall, SiteView } from "@hostwright/core/plugin";
import type { DrupalSiteOptions } from "./options.ts";
import { driverSource } from "./php-sources.ts";

const common = ({ platform, domain }: SiteView): { readonly docroot: string; readonly domain: string } => ({
  docroot: platform.docroot,
  domain,
});

/** Makes the folders that Drupal expects in `private/`; without that for configuration its installer asks for settings. */
function seed(view: SiteView): DriverCall {
  return { command: "seed", input: { private: view.paths.private }, timeoutMs: 60_000 };
}

function install(view: SiteView): DriverCall {
  const { profile, langcode } = view.options as DrupalSiteOptions;
  return {
    command: "install",
    input: {
      ...common(view),
      profile,
      langcode,
      title: view.title,
      adminUser: view.adminUser,
      adminEmail: view.adminEmail,
      adminPassword: view.secret("admin-password", "administrator's password"),
    },
    timeoutMs: 900_000,
  };
}

function loginLink(view: SiteView): DriverCall {
  return { command: "login-link", input: { ...common(view), validSeconds: 900 }, timeoutMs: 60_000 };
}

function status(view: SiteView): DriverCall {
  return { command: "status", input: common(view), timeoutMs: 60_000 };
}

export const application: Application = {
  driver: {
    name: "drupal.php",
    get source(): string {
      return driverSource();
    },
  },
  seed,
  install,
  loginLink,
  status,
};
