import type { DatabaseBinding, PlatformView, SiteView } from "@hostwright/core";

const platform: PlatformView = {
  id: "p1",
  name: "wp",
  type: "wordpress",
  root: "/srv/platforms/wp",
  docroot: "/srv/platforms/wp/web",
  options: {},
};

/** A site as core would describe it; any part can be another. */
export function sampleSite(change: Partial<SiteView> = {}): SiteView {
  const id = change.id ?? "s1aaaaaaaa";
  const home = `/srv/sites/${id}`;
  return {
    id,
    domain: `${id}.example.com`,
    aliases: [],
    aliasMode: "redirect",
    enabled: true,
    user: id,
    uid: 20001,
    paths: { home, conf: `${home}/conf`, public: `${home}/public`, private: `${home}/private`, tmp: `${home}/tmp` },
    platform,
    options: {},
    title: "A title",
    adminEmail: "admin@example.com",
    adminUser: "admin",
    limits: { uploadMegabytes: 64, requestSeconds: 60, memoryMegabytes: 256, phpWorkers: 4 },
    binds: [],
    rules: {
      virtual: [],
      frontController: "/index.php",
      phpEntryPoints: [],
      phpIndexes: [],
      ownPaths: [],
      denied: [],
      cache: [],
      generated: [],
    },
    database: null,
    phpSocket: `/run/hostwright-php/${id}.sock`,
    webUser: "www-data",
    secret: (name, label) => ({ ref: "secret", id: `site/${id}/${name}`, label }),
    ...change,
  };
}

export const sampleDatabase: DatabaseBinding = {
  protocol: "mysql",
  host: "localhost",
  port: null,
  socket: "/run/mysqld/mysqld.sock",
  name: "s1aaaaaaaa",
  user: "s1aaaaaaaa",
  password: { ref: "secret", id: "site/s1aaaaaaaa/db-password", label: "db password" },
};
