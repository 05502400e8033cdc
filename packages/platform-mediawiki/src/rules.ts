import type { PathPattern, WebRules } from "@hostwright/core/plugin";

const DAY = 86_400;

const ENTRY_POINTS = ["api", "load", "rest", "thumb", "opensearch_desc"].map((name): PathPattern => ({
  exact: `/${name}.php`,
}));

const CODE = ["cache", "docs", "includes", "languages", "maintenance", "mw-config", "serialized", "tests", "vendor"];

/** MediaWiki's URLs. Titles of pages may look like anything, files that are denied included: they are no files. */
export function webRules(): WebRules {
  return {
    scripts: { frontController: "/index.php", virtual: [{ prefix: "/wiki/" }], entryPoints: ENTRY_POINTS },
    ownPaths: [{ prefix: "/images/" }],
    denied: [
      ...CODE.map((folder): PathPattern => ({ prefix: `/${folder}/` })),
      { exact: "/LocalSettings.php" },
      { exact: "/autoload.php" },
      { suffix: ".json", under: "/extensions/" },
      { suffix: ".json", under: "/skins/" },
      { segment: "maintenance" },
      // Kept for administrators, who read them through MediaWiki.
      ...["deleted", "lockdir", "temp"].map((folder): PathPattern => ({ prefix: `/images/${folder}/` })),
    ],
    cache: [
      { match: { prefix: "/resources/" }, maxAgeSeconds: 30 * DAY },
      { match: { prefix: "/skins/" }, maxAgeSeconds: 30 * DAY },
      { match: { prefix: "/extensions/" }, maxAgeSeconds: 30 * DAY },
      { match: { prefix: "/images/" }, maxAgeSeconds: DAY },
    ],
  };
}
