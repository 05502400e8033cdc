import { isHostwrightError, referencesOf, resolveText, showText, type SiteView } from "@hostwright/core/plugin";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../test/applications/sample-site.ts";
import { WordPressSiteOptions } from "./options.ts";
import { databaseHost, settings } from "./settings.ts";
import { ANY_CHARACTER } from "../../testing/src/any-character.ts";

const options = WordPressSiteOptions.parse({});
const site = (change: Partial<SiteView> = {}): SiteView =>
  sampleSite({ options, bindings: { db: sampleDatabase }, ...change });

function settingsFile(view: SiteView): Parameters<typeof showText>[0] {
  const found = settings(view).find((file) => file.path === "settings.php");
  if (found === undefined) throw new Error("no settings.php");
  return found.content;
}

/** The statement `define('NAME', ...);` as a reader of PHP finds it: a single-quoted literal knows two escapes. */
function defined(source: string, name: string): string | undefined {
  const literal = new RegExp(String.raw`define\('${name}', '((?:[^\\']|\\.)*)'\);\n`, "s").exec(source)?.[1];
  return literal?.replace(/\\([\\'])/g, "$1");
}

test("any password and any database name arrive in PHP as they are", () => {
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER }), fc.string({ unit: "grapheme-ascii" }), (password, name) => {
      fc.pre(!password.includes("\0"));
      const source = resolveText(settingsFile(site({ bindings: { db: { ...sampleDatabase, name } } })), () => password);
      expect(defined(source, "DB_PASSWORD")).toBe(password);
      expect(defined(source, "DB_NAME")).toBe(name);
    }),
  );
});

test("secrets are references and never text", () => {
  const content = settingsFile(site());
  expect(referencesOf(content)).toHaveLength(9);
  expect(referencesOf(content).every((reference) => reference.quote === "php")).toBe(true);
  expect(showText(content)).toContain("define('DB_PASSWORD', <db password>);");
});

test("every key and salt is a secret of its own", () => {
  const ids = referencesOf(settingsFile(site())).map((reference) => reference.id);
  expect(new Set(ids).size).toBe(9);
});

test("the file that is mounted does not change with the site's settings", () => {
  const mounted = (view: SiteView): unknown => settings(view).find((file) => file.path === "mounted/wp-config.php");
  expect(mounted(site({ domain: "other.example", title: "Other" }))).toEqual(mounted(site()));
});

test("a database is reached by socket, host and port, IPv6 included", () => {
  expect(databaseHost(sampleDatabase)).toBe("localhost:/run/mysqld/mysqld.sock");
  expect(databaseHost({ ...sampleDatabase, socket: null, host: "db1", port: 3307 })).toBe("db1:3307");
  expect(databaseHost({ ...sampleDatabase, socket: null, host: "fd00::1", port: null })).toBe("[fd00::1]");
});

test("a site without a database is refused with its domain", () => {
  let caught: unknown;
  try {
    settings(site({ bindings: {} }));
  } catch (error) {
    caught = error;
  }
  expect(isHostwrightError(caught) && [caught.code, caught.message.includes("s1aaaaaaaa.test")]).toEqual([
    "HW_SERVICE_UNFIT",
    true,
  ]);
});

test("the shared code is not offered for update", () => {
  expect(showText(settingsFile(site()))).toContain("define('WP_AUTO_UPDATE_CORE', false);");
});

test("a cache that it is bound to is told by socket or address, its password as a reference", () => {
  const password = { ref: "secret", id: "site/s1aaaaaaaa/cache-password", label: "cache password" } as const;
  const cache = { protocol: "redis", host: "10.0.0.2", port: 6380, socket: null, user: "s1", password, prefix: "s1:" };
  const apart = settingsFile(site({ bindings: { db: sampleDatabase, cache } }));
  expect(referencesOf(apart)).toHaveLength(10);
  const source = resolveText(apart, ({ label }) => `it's ${label}`);
  expect(source).toContain("define('WP_REDIS_HOST', '10.0.0.2');\ndefine('WP_REDIS_PORT', 6380);\n");
  expect(source).toContain(String.raw`define('WP_REDIS_PASSWORD', ['s1', 'it\'s cache password']);`);
  expect(defined(source, "WP_REDIS_PREFIX")).toBe("s1:");
  const near = showText(
    settingsFile(
      site({ bindings: { db: sampleDatabase, cache: { ...cache, port: null, socket: "/run/redis/a.sock" } } }),
    ),
  );
  expect([defined(near, "WP_REDIS_SCHEME"), defined(near, "WP_REDIS_PATH")]).toEqual(["unix", "/run/redis/a.sock"]);
  expect(showText(settingsFile(site()))).not.toContain("WP_REDIS");
});
