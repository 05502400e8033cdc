import { expect, test } from "vitest";
import { ownRules, siteView, wordpressRules } from "../../../../../test/support/http-samples.ts";
import { byPcre } from "../../../../../test/support/expressions.ts";
import { NO_OWN_RULES } from "../../model/own-rules.ts";
import { toPcre } from "./to-pcre.ts";
import { httpEntry, webSite, type WebSite } from "./web-site.ts";

type Change = Parameters<typeof siteView>[2];

const siteOf = (change: Change): WebSite => webSite(siteView("s", wordpressRules, change));
const answers = (change: Change): readonly string[] =>
  siteOf({ aliases: ["www.s.test", "*.s.example"], ...change }).hosts.map(
    ({ answer, names }) => `${answer}: ${names.join(" ")}`,
  );

test("aliases lead to the main name, or are the site too; a disabled site is closed on all names", () => {
  expect(answers({})).toEqual(["site: s.test", "redirect: www.s.test *.s.example"]);
  expect(answers({ aliasMode: "serve" })).toEqual(["site: s.test www.s.test *.s.example"]);
  expect(answers({ aliases: [] })).toEqual(["site: s.test"]);
  expect(answers({ enabled: false })).toEqual(["closed: s.test www.s.test *.s.example"]);
});

test("a closed site is closed to everybody, whatever addresses may see it", () => {
  const listed = { ownRules: { ...NO_OWN_RULES, allowFrom: ["10.0.0.0/8"] } };
  expect(siteOf(listed).allowFrom).toEqual(["10.0.0.0/8"]);
  expect(siteOf({ ...listed, enabled: false }).allowFrom).toEqual([]);
});

test("an owner's headers stand for the ages and the header of files", () => {
  const names = ({ fileHeaders }: WebSite): readonly string[] => fileHeaders.map(({ value }) => value);
  const [plain, owned] = [siteOf({}), siteOf({ ownRules })];
  expect([names(plain), plain.ages.length]).toEqual([["nosniff"], 2]);
  expect([names(owned), owned.ages]).toEqual([ownRules.headers.map(({ value }) => value), []]);
});

test("limits are whole and at least 1; with a password of the site PHP is told of no login", () => {
  const limits = { uploadMegabytes: 0, requestSeconds: 2.1, memoryMegabytes: 1, phpWorkers: 1 };
  const basicAuth = { realm: "Members", users: ["anna"] };
  expect(siteOf({ limits })).toMatchObject({ uploadMegabytes: 1, php: { seconds: 3, authorization: true } });
  expect(siteOf({ ownRules: { ...NO_OWN_RULES, basicAuth } })).toMatchObject({
    php: { authorization: false },
    basicAuth: { realm: "Members", file: "/srv/sites/s/conf/web-passwords" },
  });
});

test.each([
  ["/", true],
  ["/a/.well-known/acme-challenge/x", true],
  ["/.well-known/acme-challenge", true],
  ["/.well-known/acme-challenge/x", false],
])("with a password of the site %s needs it: %s", (path, needed) => {
  const { basicAuth } = siteOf({ ownRules: { ...NO_OWN_RULES, basicAuth: { realm: "Members", users: ["anna"] } } });
  expect(byPcre(toPcre(basicAuth?.urls ?? { any: [] }), path) !== null).toBe(needed);
});

const hostile: readonly Change[] = [
  ...["_", "", "~^.*$", "a b", "a;", "*", "*.", "A.test", ".a.test", "a.*", "$host", "a.test; } server {"].flatMap(
    (name): readonly Change[] => [{ domain: name }, { aliases: [name] }],
  ),
  ...["relative.sock", "/run/$x", "/run/a b", "/run/x;", "/run/a:b", '/run/"', "/run/%{x}"].map((socket): Change => ({
    runtime: { kind: "php", protocol: "fastcgi", socket, main: null },
  })),
  { passwordFile: "/srv/a\nb", ownRules: { ...NO_OWN_RULES, basicAuth: { realm: "a", users: ["b"] } } },
  { ownRules: { ...NO_OWN_RULES, basicAuth: { realm: "off", users: ["b"] } } },
  { id: "s.x" },
  { rules: { ...wordpressRules, scripts: { frontController: "/a;b.php" } } },
  { rules: { ...wordpressRules, scripts: { frontController: "/index.php", indexes: ["/$x/"] } } },
  { rules: { ...wordpressRules, scripts: null, indexFile: "$x.html" } },
  { rules: { ...wordpressRules, scripts: null, indexFile: "../index.html" } },
  { rules: { ...wordpressRules, ownPaths: [{ prefix: "/a;b/" }] } },
  { rules: { ...wordpressRules, denied: [{ segment: "\ud800" }] }, enabled: false },
  { rules: { ...wordpressRules, cache: [{ match: { suffix: "a", under: "/\ud800/" }, maxAgeSeconds: 1 }] } },
];

test.each(hostile)("what would mean something to a web server is refused: %j", (change) => {
  expect(() => siteOf(change)).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }));
});

test("host names and wildcards are taken", () => {
  const aliases = ["a.test", "xn--bcher-kva.example", "*.a.test"];
  expect(siteOf({ aliases }).hosts.at(-1)?.names).toEqual(aliases);
});

test("an entry tells whose it is, and leaves out blocks of nothing", () => {
  expect(httpEntry("a.conf", [], ["a", "b"], ["c"])).toEqual({
    name: "a.conf",
    content: "# Managed by Hostwright: changes are overwritten.\na\nb\n\nc\n",
  });
});
