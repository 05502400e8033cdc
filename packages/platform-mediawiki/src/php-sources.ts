import { readFileSync } from "node:fs";

// Read when asked for, so that importing the package does nothing. The folder lies beside both src and dist.
function read(name: string): string {
  return readFileSync(new URL(`../php/${name}`, import.meta.url), "utf8");
}

/** The program that Hostwright runs for a site: install, seed, status, login link. */
export const driverSource = (): string => read("mediawiki.php");

/** Loaded with every request of a site, from its root-owned folder. */
export const siteCode = (): string => read("site.php");
