import type { SiteView, WebRules } from "@hostwright/core";

/** Like WordPress: scripts beside index.php, a folder of scripts, uploads of the site's own. */
export const wordpressRules: WebRules = {
  virtual: [{ prefix: "/wiki/" }],
  frontController: "/index.php",
  phpEntryPoints: [
    { exact: "/wp-login.php" },
    { suffix: ".php", under: "/wp-admin/" },
    { exact: "/wp-content/plugins/shop/pay.php" },
  ],
  phpIndexes: ["/wp-admin/"],
  ownPaths: [{ prefix: "/wp-content/" }],
  denied: [
    { exact: "/readme.html" },
    { prefix: "/wp-content/cache/" },
    { suffix: ".txt", under: "/wp-content/uploads/private/" },
  ],
  cache: [
    { match: { suffix: ".css" }, maxAgeSeconds: 86_400 },
    { match: { suffix: ".js" }, maxAgeSeconds: 86_400 },
    { match: { prefix: "/wp-content/uploads/" }, maxAgeSeconds: 3600 },
  ],
  generated: [],
};

/** Like Drupal: clean URLs with path info, files that the front controller makes when they are asked for first. */
export const drupalRules: WebRules = {
  virtual: [],
  frontController: "/index.php",
  phpEntryPoints: [
    { exact: "/update.php" },
    { exact: "/core/install.php" },
    { suffix: "/statistics.php", under: "/core/modules/" },
  ],
  phpIndexes: [],
  ownPaths: [{ prefix: "/sites/default/files/" }],
  denied: [{ prefix: "/vendor/" }, { segment: "private" }],
  cache: [{ match: { prefix: "/sites/default/files/" }, maxAgeSeconds: 600 }],
  generated: [{ prefix: "/sites/default/files/css/" }, { prefix: "/sites/default/files/styles/" }],
};

export function siteView(id: string, rules: WebRules, change: Partial<SiteView> = {}): SiteView {
  const home = `/srv/sites/${id}`;
  return {
    id,
    domain: `${id}.test`,
    aliases: [`www.${id}.test`, `*.${id}.example`],
    aliasMode: "redirect",
    enabled: true,
    user: id,
    uid: 20_000,
    paths: { home, conf: `${home}/conf`, public: `${home}/public`, private: `${home}/private`, tmp: `${home}/tmp` },
    platform: {
      id: "p1",
      name: id,
      type: id,
      root: `/srv/platforms/${id}`,
      docroot: `/srv/platforms/${id}/web`,
      options: {},
    },
    options: {},
    title: "A site",
    adminEmail: "admin@example.com",
    adminUser: "admin",
    limits: { uploadMegabytes: 1, requestSeconds: 30, memoryMegabytes: 128, phpWorkers: 2 },
    binds: [],
    rules,
    database: null,
    phpSocket: `/run/php-${id}.sock`,
    webUser: "www-data",
    secret: (name, label) => ({ ref: "secret", id: `site/${id}/${name}`, label }),
    ...change,
  };
}
