import { phpLanguage, runtimeConformance, testHosts } from "@hostwright/testing";
import { examplePhp } from "./php.ts";

runtimeConformance({
  plugin: examplePhp,
  language: phpLanguage,
  harness: testHosts({ packages: ["php8.4-fpm", "php8.4-cli", "php8.4-pgsql"] }),
});
