import { expect, test } from "vitest";
import { drupalRules, ownRules, siteView, wordpressRules } from "../../../../../test/support/http-samples.ts";
import { byPcre, byRe2 } from "../../../../../test/support/expressions.ts";
import { NO_OWN_RULES } from "../../model/own-rules.ts";
import type { SiteView } from "../../contracts/views.ts";
import type { WebRules } from "../../contracts/web-rules.ts";
import { agesOf, stepsOf } from "./routing-rules.ts";
import { toPcre } from "./to-pcre.ts";
import { toRe2 } from "./to-re2.ts";

const PHP: SiteView["runtime"] = { kind: "php", protocol: "fastcgi", socket: "/run/s.sock", main: null };
const PROGRAM: SiteView["runtime"] = { kind: "node", protocol: "http", socket: "/run/s.sock", main: "/srv/main.js" };

/** The first step that the URL matches, as a web server judges it with PCRE or RE2, and what was captured. */
function judge(rules: WebRules, path: string, own = NO_OWN_RULES, runtime = PHP): string {
  for (const step of stepsOf(siteView("s", rules, { ownRules: own, runtime }))) {
    const match = byPcre(toPcre(step.urls), path);
    expect(byRe2(toRe2(step.urls), path)).toEqual(match);
    if (match === null) continue;
    const { hw_script: script, hw_info: info = "" } = match;
    if (step.do === "redirect") return `${step.status} ${step.to}${step.rest === null ? "" : "..."}`;
    if (step.do === "page") return `page ${step.script}`;
    if (step.do === "script") return `script ${step.root}${script} ${info}`.trim();
    return step.do === "file"
      ? `file ${step.root}${step.index === null ? "" : `...${step.index}`} or ${step.missing}`
      : step.do;
  }
  return "nothing";
}

const WEB = "/srv/platforms/s/web";
const OWN = "/srv/sites/s/public";

test.each([
  ["/", `file ${WEB} or page`],
  ["/style.css", `file ${WEB} or page`],
  ["/wiki/.git/x.sql", "page /index.php"],
  ["/readme.html", "refuse"],
  ["/.env", "refuse"],
  ["/a/.git/config", "refuse"],
  ["/a/.well-known.bak", "refuse"],
  ["/a/dump.sql.gz", "refuse"],
  ["/a/dump.sql.gzip", `file ${WEB} or page`],
  ["/a/composer.json/b", "refuse"],
  ["/a/b.composer.json", `file ${WEB} or page`],
  ["/.well-known/other", `file ${WEB} or page`],
  ["/wp-admin/", "page /wp-admin/index.php"],
  ["/wp-admin", "301 /wp-admin/"],
  ["/index.php/a/b", `script ${WEB}/index.php /a/b`],
  ["/wp-login.php", `script ${WEB}/wp-login.php`],
  ["/wp-admin/users.php", `script ${WEB}/wp-admin/users.php`],
  ["/wp-login.phpx", `file ${WEB} or page`],
  ["/wp-admin/users.php/x", "refuse"],
  ["/wp-admin/users.php/b.php", `script ${WEB}/wp-admin/users.php/b.php`],
  ["/internal.php/wp-admin/users.php", "refuse"],
  ["/wp-content/plugins/shop/pay.php", `script ${OWN}/wp-content/plugins/shop/pay.php`],
  ["/wp-content/plugins/shop/other.php", "refuse"],
  ["/wp-content/uploads/Y.PhTmL/a.jpg", "refuse"],
  ["/wp-content/a.b.PHP/c", "refuse"],
  ["/wp-content/a.jpg", `file ${OWN} or refuse`],
])("of a site like WordPress %s is judged as: %s", (path, judged) => {
  expect(judge(wordpressRules, path)).toBe(judged);
});

test.each([
  ["/sites/default/files/css/made.css", `file ${OWN} or page`],
  ["/sites/default/files/a.txt", `file ${OWN} or refuse`],
  ["/core/modules/stat/statistics.php", `script ${WEB}/core/modules/stat/statistics.php`],
  ["/vendor/a", "refuse"],
])("of a site like Drupal %s is judged as: %s", (path, judged) => {
  expect(judge(drupalRules, path)).toBe(judged);
});

test.each([
  ["/old page", "301 /new%20page"],
  ["/blog/2019/x", "307 /archive/..."],
  ["/blog/x", "301 /..."],
  ["/style.css", "302 /opened"],
  ["/wiki/Old", "308 /wiki/New"],
  ["/wiki/dump.sql", "page /index.php"],
  ["/wiki/Secret", "refuse"],
  ["/.env", "refuse"],
  ["/readme.html", "refuse"],
  ["/closed/door", "refuse"],
])("an owner's rules let %s be judged as: %s", (path, judged) => {
  expect(judge(wordpressRules, path, ownRules)).toBe(judged);
});

test("what stands behind a redirect's prefix is kept as it was written, and leads to no other host", () => {
  const [step] = stepsOf(siteView("s", wordpressRules, { ownRules })).filter(
    (one) => one.do === "redirect" && one.rest !== null && one.to === "/",
  );
  const rest = new RegExp(step?.do === "redirect" ? `^${(step.rest ?? "").replaceAll("\\z", "$")}` : "");
  expect(rest.exec("/blog/a%20b/c?d")?.groups?.["hw_rest"]).toBe("a%20b/c");
  for (const path of ["/blog//evil.example/", "/blog/\\evil.example/"]) expect(rest.test(path)).toBe(false);
});

test("a platform may refuse even what is hidden and open elsewhere", () => {
  const denied = [{ segment: ".well-known" }, { segment: ".hidden" }];
  const rules = { ...wordpressRules, denied };
  expect(["/.well-known/other", "/.hidden/x"].map((path) => judge(rules, path))).toEqual(["refuse", "refuse"]);
});

test("a pattern of scripts reaches into the site's own folder only below its prefixes", () => {
  const rules = { ...wordpressRules, scripts: { frontController: "/index.php", entryPoints: [{ suffix: "/x.php" }] } };
  expect(judge(rules, "/wp-content/x.php")).toBe(`script ${OWN}/wp-content/x.php`);
  expect(judge(rules, "/a/x.php")).toBe(`script ${WEB}/a/x.php`);
});

test("ages of neighbours are one, in their order, and never negative", () => {
  const at = (exact: string, maxAgeSeconds: number) => ({ match: { exact }, maxAgeSeconds });
  const ages = agesOf([at(".a", 5.9), at(".b", 5), at(".c", -1), at(".d", Number.NaN), at(".e", 5)]);
  expect(ages).toEqual([
    { seconds: 5, urls: { any: [{ exact: ".a" }, { exact: ".b" }] } },
    { seconds: 0, urls: { any: [{ exact: ".c" }, { exact: ".d" }] } },
    { seconds: 5, urls: { any: [{ exact: ".e" }] } },
  ]);
});

test("a folder of files runs nothing: a folder's URL gives its index, and what is no file leads to the folder or is refused", () => {
  const rules: WebRules = { scripts: null, indexFile: "index.html", ownPaths: [], denied: [], cache: [] };
  expect(["/", "/docs/", "/docs", "/docs/a.html"].map((path) => judge(rules, path))).toEqual([
    `file ${WEB}...index.html or refuse`,
    `file ${WEB}...index.html or refuse`,
    `file ${WEB} or folder`,
    `file ${WEB} or folder`,
  ]);
  expect(["/x.php", "/.git/config", "/a.php/b"].map((path) => judge(rules, path))).toEqual([
    "refuse",
    "refuse",
    "refuse",
  ]);
  const { indexFile: _none, ...without } = rules;
  expect(["/", "/docs"].map((path) => judge(without, path))).toEqual([
    `file ${WEB} or refuse`,
    `file ${WEB} or refuse`,
  ]);
});

test.each([
  ["/", `file ${WEB} or pass`, `file ${WEB}...index.html or pass`],
  ["/style.css", `file ${WEB} or pass`, `file ${WEB} or pass`],
  ["/a/b/", `file ${WEB} or pass`, `file ${WEB}...index.html or pass`],
  ["/.env", "refuse", "refuse"],
  ["/vendor/a", "refuse", "refuse"],
  ["/a.php/b", "refuse", "refuse"],
])("of a site with a program %s is judged as: %s; with an index file: %s", (path, judged, indexed) => {
  const rules = { scripts: null, ownPaths: [], denied: [{ prefix: "/vendor/" }], cache: [] };
  expect(judge(rules, path, NO_OWN_RULES, PROGRAM)).toBe(judged);
  expect(judge({ ...rules, indexFile: "index.html" }, path, NO_OWN_RULES, PROGRAM)).toBe(indexed);
});
