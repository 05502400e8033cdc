import { mysql } from "@hostwright/service-mysql";
import { phpFpm } from "@hostwright/service-php-fpm";
import { postgres } from "@hostwright/service-postgres";
import { platformConformance, testHosts } from "@hostwright/testing";
import { test } from "vitest";
import { drupalCodebases } from "../../../test/support/apps.ts";
import { drupal } from "../src/index.ts";

const [code] = drupalCodebases;

// oxlint-disable-next-line vitest/no-conditional-tests -- nobody may ship its code
if (code === undefined) {
  test("the conformance of a platform", (context) => context.skip("HOSTWRIGHT_TEST_DRUPAL names no codebase"));
} else {
  for (const [database, service] of [
    [mysql, "mariadb"],
    [postgres, "postgresql"],
  ] as const) {
    platformConformance({
      plugin: drupal,
      php: phpFpm,
      database,
      harness: testHosts({ services: [service] }),
      codebase: async () => Promise.resolve(code),
      version: /^1[01]\./,
    });
  }
}
