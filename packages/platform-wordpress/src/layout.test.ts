import type { SourceReader } from "@hostwright/core/plugin";
import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../test/applications/sample-site.ts";
import { application } from "./calls.ts";
import { binds, codeNeeded, detect, layout, MOUNTED, ownFolders } from "./layout.ts";
import { driverSource } from "./php-sources.ts";
import { WordPressSiteOptions } from "./options.ts";
import { settings } from "./settings.ts";

const view = sampleSite({ options: WordPressSiteOptions.parse({}), bindings: { db: sampleDatabase } });

const source = (files: Readonly<Record<string, string>>): SourceReader => ({
  exists: async (path) => path in files,
  text: async (path) => files[path] ?? null,
});
const version = "<?php\n/**\n * @global string $wp_version\n */\n$wp_version = '6.8.7';\n";

test("the version is read from the code, whatever the release is called", async () => {
  expect(await detect(source({ "wp-includes/version.php": version, "wp-settings.php": "" }))).toEqual({
    version: "6.8.7",
  });
});

test.each([
  {},
  { "wp-settings.php": "" },
  { "wp-includes/version.php": version },
  { "wp-includes/version.php": "<?php", "wp-settings.php": "" },
])("%j is not WordPress", async (files) => {
  expect(await detect(source(files))).toBeNull();
});

test("every bind has its mount point in the release, and its source among the site's folders", () => {
  const { docroot, root } = view.platform;
  expect(docroot).toBe(`${root}/${layout.docroot}`);
  expect(
    binds(view)
      .map((bind) => bind.at.slice(root.length + 1))
      .toSorted(),
  ).toEqual(layout.mountPoints.map((point) => point.path).toSorted());
  expect(
    binds(view)
      .filter((bind) => bind.writable)
      .map((bind) => bind.source),
  ).toEqual(ownFolders().map(({ path }) => `${view.paths.public}/${path}`));
  expect(settings(view).map((file) => `${view.paths.conf}/${file.path}`)).toContain(
    binds(view).find((bind) => !bind.writable)?.source,
  );
  expect(MOUNTED).not.toBe("settings.php");
});

test("a call never carries the password itself", () => {
  expect(application.install(view).input["adminPassword"]).toMatchObject({ ref: "secret" });
});

test("the release's own wp-content is read-only where it is copied from", () => {
  const call = application.seed(view);
  expect(call?.binds).toEqual([
    { source: `${view.platform.docroot}/wp-content`, at: call?.input["from"], writable: false },
  ]);
});

test("the driver comes with the package", () => {
  expect(driverSource()).toMatch(/^<\?php\n/);
});

test("a language other than its own tongue is asked of the code", () => {
  expect(codeNeeded(WordPressSiteOptions.parse({}))).toEqual([]);
  expect(codeNeeded(WordPressSiteOptions.parse({ locale: "de_DE" }))).toEqual([
    { path: "wp-content/languages/de_DE.mo", what: "the language de_DE" },
  ]);
});
