import type { SourceReader } from "@hostwright/core/plugin";
import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../test/applications/sample-site.ts";
import { application } from "./calls.ts";
import { binds, confFolders, detect, layout, ownFolders } from "./layout.ts";
import { DrupalSiteOptions } from "./options.ts";
import { driverSource } from "./php-sources.ts";
import { settings } from "./settings.ts";

const view = sampleSite({ options: DrupalSiteOptions.parse({}), bindings: { db: sampleDatabase } });

const source = (files: Readonly<Record<string, string>>): SourceReader => ({
  exists: async (path) => path in files,
  text: async (path) => files[path] ?? null,
});
const code = "<?php\nclass Drupal {\n\n  const VERSION = '11.3.16';\n";

test("the version is read from the code", async () => {
  expect(await detect(source({ "web/core/lib/Drupal.php": code, "vendor/autoload.php": "" }))).toEqual({
    version: "11.3.16",
  });
});

test.each([
  {},
  { "web/core/lib/Drupal.php": code },
  { "vendor/autoload.php": "" },
  { "core/lib/Drupal.php": code, "vendor/autoload.php": "" },
])("%j is not a composer project of Drupal", async (files) => {
  expect(await detect(source(files))).toBeNull();
});

test("the site's own sites folder covers the release's, and holds the settings and the place of its files", () => {
  const [sites, files] = binds(view);
  expect(sites).toEqual({
    source: "/srv/sites/s1aaaaaaaa/conf/sites",
    at: `${view.platform.root}/${layout.mountPoints[0]?.path ?? ""}`,
    writable: false,
  });
  expect(settings(view).every((file) => `${view.paths.conf}/${file.path}`.startsWith(`${sites?.source ?? ""}/`))).toBe(
    true,
  );
  expect(confFolders().map((folder) => `${view.platform.docroot}/${folder}`)).toContain(files?.at);
  expect(files).toMatchObject({ source: `${view.paths.public}/${ownFolders()[0]?.path ?? ""}`, writable: true });
});

test("a call never carries the password itself", () => {
  expect(application.install(view).input["adminPassword"]).toMatchObject({ ref: "secret" });
});

test("the driver comes with the package", () => {
  expect(driverSource()).toMatch(/^<\?php\n/);
});
