import { isHostwrightError, referencesOf, resolveText, showText, type SiteView } from "@hostwright/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../test/applications/sample-site.ts";
import { WordPressSiteOptions } from "./options.ts";
import { databaseHost, settings } from "./settings.ts";

const options = WordPressSiteOptions.parse({});
const site = (change: Partial<SiteView> = {}): SiteView => sampleSite({ options, database: sampleDatabase, ...change });

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
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme-ascii" }), (password, name) => {
      fc.pre(!password.includes("\0"));
      const source = resolveText(settingsFile(site({ database: { ...sampleDatabase, name } })), () => password);
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
    settings(site({ database: null }));
  } catch (error) {
    caught = error;
  }
  expect(isHostwrightError(caught) && [caught.code, caught.message.includes("s1aaaaaaaa.example.com")]).toEqual([
    "HW_PLATFORM_DATABASE",
    true,
  ]);
});

test("the shared code is not offered for update", () => {
  expect(showText(settingsFile(site()))).toContain("define('WP_AUTO_UPDATE_CORE', false);");
});
