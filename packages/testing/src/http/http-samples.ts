import { ACME_FOLDER, NO_OWN_RULES, type OwnRules, type WebRules } from "@hostwright/core/plugin";

/** Like WordPress: scripts beside index.php, a folder of scripts, uploads of the site's own. */
export const wordpressRules: WebRules = {
  scripts: {
    frontController: "/index.php",
    virtual: [{ prefix: "/wiki/" }],
    entryPoints: [
      { exact: "/wp-login.php" },
      { suffix: ".php", under: "/wp-admin/" },
      { exact: "/wp-content/plugins/shop/pay.php" },
    ],
    indexes: ["/wp-admin/"],
  },
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
};

/** Like Drupal: clean URLs with path info, files that the front controller makes when they are asked for first. */
export const drupalRules: WebRules = {
  scripts: {
    frontController: "/index.php",
    entryPoints: [
      { exact: "/update.php" },
      { exact: "/core/install.php" },
      { suffix: "/statistics.php", under: "/core/modules/" },
    ],
    generated: [{ prefix: "/sites/default/files/css/" }, { prefix: "/sites/default/files/styles/" }],
  },
  ownPaths: [{ prefix: "/sites/default/files/" }],
  denied: [{ prefix: "/vendor/" }, { segment: "private" }],
  cache: [{ match: { prefix: "/sites/default/files/" }, maxAgeSeconds: 600 }],
};

/** What an owner asks for, of a site like WordPress with clean URLs below `/wiki/`. */
export const ownRules: OwnRules = {
  ...NO_OWN_RULES,
  redirects: [
    { from: { exact: "/old page" }, to: "/new%20page", status: 301 },
    { from: { exact: "/shop" }, to: "https://shop.example/a%2Fb", status: 302 },
    { from: { exact: "/wiki/Old" }, to: "/wiki/New", status: 308 },
    { from: { prefix: "/blog/2019/" }, to: "/archive/", status: 307 },
    { from: { prefix: "/blog/" }, to: "/", status: 301 },
    { from: { prefix: "/f\u00fcr/" }, to: "https://shop.example/", status: 302 },
    { from: { exact: "/.env" }, to: "/opened", status: 301 },
    { from: { exact: "/readme.html" }, to: "/opened", status: 301 },
    { from: { exact: "/style.css" }, to: "/opened", status: 302 },
    { from: { exact: "/closed/door" }, to: "/opened", status: 302 },
  ],
  headers: [
    { name: "X-App", value: "own \"100%\" value; a='b'" },
    { name: "Cache-Control", value: "no-store" },
    { name: "X-Content-Type-Options", value: "own" },
  ],
  denied: [{ prefix: "/closed/" }, { suffix: ".zip" }, { exact: "/wiki/Secret" }, { segment: "intern" }],
};

/** Of a program that speaks HTTP: what is no file of the release is its own. */
export const programRules: WebRules = {
  scripts: null,
  ownPaths: [],
  denied: [{ prefix: "/vendor/" }],
  cache: [{ match: { suffix: ".css" }, maxAgeSeconds: 86_400 }],
};

/** Releases and sites of the table on the host, with whatever a wrong rule would give away. */
export const tree = (sites: readonly string[]): string => `set -e
for id in ${sites.join(" ")}; do
  mkdir -p /srv/sites/$id/conf; w=/srv/platforms/$id/web; p=/srv/sites/$id/public
  mkdir -p $w/core/modules/stat $w/wp-admin/css $w/wp-content/themes $w/vendor $p/wp-content/uploads/private $p/wp-content/plugins/shop $p/wp-content/cache $p/sites/default/files/css
  mkdir -p $w/wp-content/plugins/shop; echo '<?php' > $w/wp-content/plugins/shop/pay.php; echo '<?php' > $w/evil.php
  for f in index wp-login update internal wp-admin/index wp-admin/users core/install core/modules/stat/statistics; do echo '<?php secret source' > $w/$f.php; done
  echo release > $w/style.css; echo release > $w/robots.txt; echo release > $w/readme.html; echo release > $w/wp-content/from-release.txt; echo x > $w/vendor/autoload.txt
  echo own > $p/wp-content/uploads/a.jpg; echo '<?php' > $p/wp-content/uploads/x.php; echo '<?php' > $p/wp-content/uploads/y.PHP; echo '<?php' > $p/wp-content/plugins/shop/pay.php; echo '<?php' > $p/wp-content/plugins/shop/other.php
  echo own > $p/wp-content/uploads/private/a.txt; echo own > $p/wp-content/cache/page.html; echo own > $p/wp-content/uploads/dump.sql
  printf own > "$p/wp-content/uploads/a
.sql"
  echo own > $p/sites/default/files/a.txt; echo own > $p/sites/default/files/css/made.css; mkdir -p $p/.git; echo git > $w/.env
  ln -s /etc/passwd $p/wp-content/uploads/passwd; echo own > $p/wp-content/uploads/target; ln -s target $p/wp-content/uploads/same-owner; chown -R -h 20000:20000 $p/wp-content/uploads
done
mkdir -p ${ACME_FOLDER}; echo challenge > ${ACME_FOLDER}/token
`;

/** Answers FastCGI with what it was asked to run; stands for the sites' PHP, which has a suite of its own. */
export const ECHO: string = `<?php header("X-App: php"); header("X-Told: " . ($_SERVER["HTTP_AUTHORIZATION"] ?? "") . "/" . ($_SERVER["REMOTE_USER"] ?? "")); echo "php ", $_SERVER["SCRIPT_FILENAME"], " ", $_SERVER["PATH_INFO"] ?? "", " ", $_SERVER["REQUEST_URI"], "\\n"; exit;`;

export const pool = (id: string): string => `[${id}]
user = nobody
group = nogroup
listen = /run/php-${id}.sock
listen.owner = www-data
pm = ondemand
pm.max_children = 2
php_value[auto_prepend_file] = /srv/echo.php
`;
