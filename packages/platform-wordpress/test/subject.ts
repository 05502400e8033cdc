import { mysql } from "@hostwright/service-mysql";
import { phpFpm } from "@hostwright/service-php-fpm";
import { testHosts, type PlatformSubject } from "@hostwright/testing";
import { wordpressCodebases } from "../../../test/hosts/codebases.ts";
import { wordpress } from "../src/index.ts";

export const subject: PlatformSubject = {
  plugin: wordpress,
  php: phpFpm,
  database: mysql,
  harness: testHosts({ services: ["mariadb"] }),
  codebase: async () => (await wordpressCodebases())["6.8"],
  version: /^6\.8/,
};
