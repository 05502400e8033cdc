import { mysql } from "@hostwright/service-mysql";
import { phpFpm } from "@hostwright/service-php-fpm";
import { postgres } from "@hostwright/service-postgres";
import { testHosts, type PlatformSubject } from "@hostwright/testing";
import { mediawikiCodebase } from "../../../test/hosts/codebases.ts";
import { mediawiki } from "../src/index.ts";

const onMysql: PlatformSubject = {
  plugin: mediawiki,
  php: phpFpm,
  database: mysql,
  harness: testHosts({ services: ["mariadb"] }),
  codebase: mediawikiCodebase,
  version: /^1\.43/,
};

export const subjects: readonly PlatformSubject[] = [
  onMysql,
  { ...onMysql, database: postgres, harness: testHosts({ services: ["postgresql"] }) },
];
