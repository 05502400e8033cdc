import { mysql } from "@hostwright/service-mysql";
import { phpFpm } from "@hostwright/service-php-fpm";
import type { PlatformSubject } from "@hostwright/testing";
import { wordpressCodebases } from "../../../test/hosts/codebases.ts";
import { harness } from "../../../test/support/harness.ts";
import { wordpress } from "../src/index.ts";

export const subject: PlatformSubject = {
  plugin: wordpress,
  php: phpFpm,
  database: mysql,
  harness: harness(["mariadb"]),
  codebase: async () => (await wordpressCodebases())["6.8"],
  version: /^6\.8/,
};
