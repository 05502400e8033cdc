import { ALWAYS_DENIED, type PathPattern } from "@hostwright/core/plugin";
import { expect, test } from "vitest";
import { webRules } from "./rules.ts";

const rules = webRules();
const { scripts } = rules;

const matches = (path: string, pattern: PathPattern): boolean => {
  if ("exact" in pattern) return path === pattern.exact;
  if ("prefix" in pattern) return path.startsWith(pattern.prefix);
  if ("suffix" in pattern) return path.endsWith(pattern.suffix) && path.startsWith(pattern.under ?? "/");
  return path.split("/").includes(pattern.segment);
};
const denied = (path: string): boolean => [...ALWAYS_DENIED, ...rules.denied].some((pattern) => matches(path, pattern));

test.each([
  "/core/CHANGELOG.txt",
  "/core/core.services.yml",
  "/core/modules/node/node.module",
  "/vendor/autoload.php",
  "/sites/default/default.services.yml",
  "/composer.json",
  "/core/includes/install.core.inc",
  "/web.config",
  "/README.md",
  "/sites/default/files/.htaccess",
])("%s is denied", (path) => {
  expect(denied(path)).toBe(true);
});

test.each([
  "/robots.txt",
  "/tests",
  "/node/1",
  "/core/misc/drupal.js",
  "/sites/default/files/report.txt",
  "/sites/default/files/css/css_x.css",
])("%s is not denied", (path) => {
  expect(denied(path)).toBe(false);
});

test.each([
  "/core/install.php",
  "/core/rebuild.php",
  "/core/authorize.php",
  "/update.php",
  "/sites/default/files/shell.php",
  "/autoload.php",
])("%s does not run", (path) => {
  expect(path === scripts?.frontController || scripts?.entryPoints?.some((pattern) => matches(path, pattern))).toBe(
    false,
  );
});

test("missing image styles and aggregates are made by Drupal", () => {
  expect(
    [
      "/sites/default/files/styles/large/public/x.png",
      "/sites/default/files/css/a.css",
      "/sites/default/files/js/a.js",
    ].every((path) => scripts?.generated?.some((pattern) => matches(path, pattern))),
  ).toBe(true);
});
