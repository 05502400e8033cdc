import { readFileSync } from "node:fs";

/**
 * The program that Hostwright runs for a site: install, seed, status, login link. Read when asked for, so that importing
 * the package does nothing. The folder lies beside both src and dist.
 */
export function driverSource(): string {
  return readFileSync(new URL("../php/drupal.php", import.meta.url), "utf8");
}
