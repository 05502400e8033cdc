import type { PathPattern, WebRules } from "@hostwright/core/plugin";

const DAY = 86_400;

const ENTRY_POINTS = ["login", "cron", "comments-post", "signup", "activate", "trackback", "links-opml", "mail"].map(
  (name): PathPattern => ({ exact: `/wp-${name}.php` }),
);

/** WordPress's URLs. Only PHP that WordPress itself offers runs; what lies in wp-content never does. */
export function webRules(): WebRules {
  return {
    scripts: {
      frontController: "/index.php",
      // xmlrpc.php is the interface of WordPress's own mobile applications.
      entryPoints: [...ENTRY_POINTS, { exact: "/xmlrpc.php" }, { suffix: ".php", under: "/wp-admin/" }],
      indexes: ["/wp-admin/", "/wp-admin/network/", "/wp-admin/user/"],
    },
    ownPaths: [{ prefix: "/wp-content/" }],
    denied: [
      // Hostwright installs; these would offer an empty database to whoever comes first.
      { exact: "/wp-admin/install.php" },
      { exact: "/wp-admin/setup-config.php" },
      { exact: "/wp-admin/maint/repair.php" },
      { prefix: "/wp-admin/includes/" },
      { prefix: "/wp-content/upgrade/" },
      { prefix: "/wp-content/upgrade-temp-backup/" },
      { exact: "/wp-config.php" },
      { exact: "/wp-config-sample.php" },
      { exact: "/readme.html" },
      { exact: "/license.txt" },
    ],
    cache: [
      { match: { prefix: "/wp-includes/" }, maxAgeSeconds: 30 * DAY },
      { match: { suffix: ".css", under: "/wp-admin/" }, maxAgeSeconds: 30 * DAY },
      { match: { suffix: ".js", under: "/wp-admin/" }, maxAgeSeconds: 30 * DAY },
      { match: { prefix: "/wp-content/" }, maxAgeSeconds: DAY },
    ],
  };
}
