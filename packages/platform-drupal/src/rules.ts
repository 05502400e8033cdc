import type { PathPattern, WebRules } from "@hostwright/core/plugin";
import { FILES } from "./layout.ts";

const DAY = 86_400;
const FILES_URL = `/${FILES}/`;

const under = (prefix: string, suffixes: readonly string[]): readonly PathPattern[] =>
  suffixes.map((suffix) => ({ suffix, under: prefix }));

/** Drupal's URLs. install.php, update.php, rebuild.php and authorize.php are no entry points: the engine does their work. */
export function webRules(): WebRules {
  return {
    scripts: {
      frontController: "/index.php",
      entryPoints: [{ exact: "/core/modules/statistics/statistics.php" }],
      generated: ["styles", "css", "js"].map((folder) => ({ prefix: `${FILES_URL}${folder}/` })),
    },
    ownPaths: [{ prefix: FILES_URL }],
    denied: [
      { prefix: "/vendor/" },
      { prefix: "/node_modules/" },
      { prefix: `${FILES_URL}php/` },
      ...[".make", ".test", ".xtmpl"].map((suffix) => ({ suffix })),
      ...under("/core/", [".txt", ".md"]),
      ...[
        ".ht.router.php",
        ".csslintrc",
        ".eslintignore",
        ".eslintrc.json",
        ".gitattributes",
        ".gitignore",
        ".editorconfig",
        "yarn.lock",
      ].map((segment) => ({ segment })),
      ...["/README.md", "/README.txt", "/INSTALL.txt", "/example.gitignore", "/sites/README.txt"].map((exact) => ({
        exact,
      })),
    ],
    cache: [
      // Their names hold a digest of their content.
      { match: { prefix: `${FILES_URL}css/` }, maxAgeSeconds: 365 * DAY },
      { match: { prefix: `${FILES_URL}js/` }, maxAgeSeconds: 365 * DAY },
      { match: { prefix: FILES_URL }, maxAgeSeconds: DAY },
      ...["/core/", "/modules/", "/themes/", "/profiles/", "/libraries/"].flatMap((folder) =>
        under(folder, [".css", ".js", ".svg", ".png", ".woff2"]).map((match) => ({ match, maxAgeSeconds: 30 * DAY })),
      ),
    ],
  };
}
