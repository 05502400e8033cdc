import { phpConformance, testHosts } from "@hostwright/testing";
import { examplePhp } from "./php.ts";

phpConformance({ plugin: examplePhp, harness: testHosts({ packages: ["php8.4-fpm", "php8.4-cli", "php8.4-pgsql"] }) });
