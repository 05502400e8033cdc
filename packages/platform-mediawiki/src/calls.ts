import type { Application, DriverCall, SiteView } from "@hostwright/core/plugin";
import type { MediaWikiSiteOptions } from "./options.ts";
import { databaseServer, databaseType } from "./settings.ts";
import { driverSource } from "./php-sources.ts";

const common = ({ platform, domain }: SiteView): { readonly docroot: string; readonly domain: string } => ({
  docroot: platform.docroot,
  domain,
});

/** Makes the folders that MediaWiki expects in `private/`. */
function seed(view: SiteView): DriverCall {
  return { command: "seed", input: { private: view.paths.private }, timeoutMs: 60_000 };
}

function install(view: SiteView): DriverCall {
  const { db: database } = view.bindings;
  const { language, skins, extensions } = view.options as MediaWikiSiteOptions;
  return {
    command: "install",
    input: {
      ...common(view),
      tmp: view.paths.tmp,
      title: view.title,
      adminUser: view.adminUser,
      adminEmail: view.adminEmail,
      adminPassword: view.secret("admin-password", "administrator's password"),
      language,
      skins: skins.join(","),
      extensions: extensions.join(","),
      ...(database === undefined
        ? {}
        : {
            dbType: databaseType(view.domain, database),
            dbServer: databaseServer(database),
            dbPort: database.port ?? 0,
            dbName: database.name,
            dbUser: database.user,
            dbPassword: database.password,
          }),
    },
    timeoutMs: 600_000,
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
    name: "mediawiki.php",
    get source(): string {
      return driverSource();
    },
  },
  seed,
  install,
  loginLink,
  status,
};
