import { mysql } from "@hostwright/service-mysql";
import { phpFpm } from "@hostwright/service-php-fpm";
import { postgres } from "@hostwright/service-postgres";
import { testHosts, type PlatformSubject } from "@hostwright/testing";
import { mediawikiCodebase } from "../../../test/hosts/codebases.ts";
import { oneOf } from "../../../test/support/drawn.ts";
import { mediawiki } from "../src/index.ts";

const onMysql: PlatformSubject = {
  plugin: mediawiki,
  php: phpFpm,
  database: mysql,
  harness: testHosts({ services: ["mariadb"] }),
  codebase: mediawikiCodebase,
  version: /^1\.43/,
};

const onPostgres: PlatformSubject = {
  ...onMysql,
  database: postgres,
  harness: testHosts({ services: ["postgresql"] }),
};

/** On the one or the other, which is drawn; `npm run test:full` takes both. */
export const subjects: readonly PlatformSubject[] = oneOf([onMysql, onPostgres]);
