import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "./sources.ts";

/** Plugins of one role have the same files: who knows one finds their way in the other. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  http: ["service-nginx", "service-apache"],
  db: ["service-mysql", "service-postgres"],
  platform: ["platform-wordpress", "platform-drupal", "platform-mediawiki"],
};

/** Files that one alone needs, with the reason. */
const ALONE: Readonly<Record<string, string>> = {
  "service-mysql/flavour.ts": "MariaDB and MySQL are two servers",
  "service-postgres/access-type.ts": "who may log in from where stands in files there",
};

/** Lines of code, without blanks and comments. What is above MOST is held to what it is, with the reason. */
const MOST = 395;
const LARGER: Readonly<Record<string, readonly [lines: number, reason: string]>> = {
  "service-mysql": [
    967,
    "two servers, five kinds of login, grants that have to be read back from text, and moves that regard them",
  ],
  "service-postgres": [
    641,
    "rules of access in files, owners, locales and extensions of databases, and moves that regard them",
  ],
};

const folderOf = (plugin: string): string => join(ROOT, "packages", plugin, "src");
const filesOf = (plugin: string): readonly string[] =>
  readdirSync(folderOf(plugin)).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));

function linesOf(plugin: string): number {
  const lines = filesOf(plugin).flatMap((name) => readFileSync(join(folderOf(plugin), name), "utf8").split("\n"));
  return lines.filter((line) => !/^\s*(?:$|\/\/|\/\*|\*)/.test(line)).length;
}

describe.each(Object.entries(ROLES))("plugins of the role %s", (_role, plugins) => {
  test("have the same files, but for those that one alone needs", () => {
    const common = plugins.map((plugin) => filesOf(plugin).filter((name) => !(`${plugin}/${name}` in ALONE)));
    for (const files of common) expect(files).toEqual(common[0]);
  });

  test.each([...plugins])("%s is small enough to be read as one", (plugin) => {
    expect(linesOf(plugin)).toBeLessThanOrEqual(LARGER[plugin]?.[0] ?? MOST);
  });
});

test("no exception outlives its reason", () => {
  const files = Object.values(ROLES).flatMap((plugins) =>
    plugins.flatMap((plugin) => filesOf(plugin).map((name) => `${plugin}/${name}`)),
  );
  expect(Object.keys(ALONE).filter((file) => !files.includes(file))).toEqual([]);
  expect(Object.keys(LARGER).filter((plugin) => linesOf(plugin) <= MOST)).toEqual([]);
});
