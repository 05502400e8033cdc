import type { PathPattern } from "@hostwright/core/plugin";
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
const executed = (path: string): boolean =>
  !rules.denied.some((pattern) => matches(path, pattern)) &&
  (path === scripts?.frontController || scripts?.entryPoints?.some((pattern) => matches(path, pattern)) === true);

test.each([
  "/index.php",
  "/wp-login.php",
  "/wp-cron.php",
  "/wp-comments-post.php",
  "/xmlrpc.php",
  "/wp-admin/index.php",
  "/wp-admin/admin-ajax.php",
])("%s runs", (path) => {
  expect(executed(path)).toBe(true);
});

test.each([
  "/wp-content/uploads/2026/01/shell.php",
  "/wp-content/plugins/x/x.php",
  "/wp-includes/version.php",
  "/wp-config.php",
  "/wp-load.php",
  "/wp-settings.php",
  "/wp-admin/install.php",
  "/wp-admin/setup-config.php",
  "/wp-admin/includes/upgrade.php",
  "/wp-admin/maint/repair.php",
  "/other.php",
])("%s does not run", (path) => {
  expect(executed(path)).toBe(false);
});
