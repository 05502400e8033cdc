import { existsSync } from "node:fs";
import type { PlatformDeclaration, SiteDeclaration } from "@hostwright/core";
import { drupal } from "@hostwright/platform-drupal";
import { mediawiki } from "@hostwright/platform-mediawiki";
import { wordpress } from "@hostwright/platform-wordpress";
import { mediawikiCodebase, wordpressCodebases } from "../test/hosts/codebases.ts";
import type { DemoOptions } from "./options.ts";

export interface DemoPlatform {
  readonly name: string;
  readonly source: string;
  readonly platform: PlatformDeclaration;
  readonly site: SiteDeclaration;
}

/** The codebase that the demo publishes: Debian's WordPress or MediaWiki, or a Drupal that somebody has here. */
export async function demoPlatform(platform: DemoOptions["platform"]): Promise<DemoPlatform> {
  if (platform === "wordpress") {
    const codebases = await wordpressCodebases();
    return {
      name: "wordpress-6.8",
      source: codebases["6.8"],
      platform: wordpress.platform(),
      site: wordpress.site(),
    };
  }
  if (platform === "mediawiki") {
    const source = await mediawikiCodebase();
    return { name: "mediawiki-1.43", source, platform: mediawiki.platform(), site: mediawiki.site() };
  }
  const source = (process.env["HOSTWRIGHT_TEST_DRUPAL"] ?? "")
    .split(",")
    .find((path) => path !== "" && existsSync(path));
  if (source === undefined) {
    throw new Error(
      "Drupal's code is not in Debian: make it with `composer create-project drupal/recommended-project DIR`\n" +
        "and run HOSTWRIGHT_TEST_DRUPAL=DIR npm run demo -- --platform drupal",
    );
  }
  return { name: "drupal", source, platform: drupal.platform(), site: drupal.site({ profile: "standard" }) };
}
