import { CONTRACT, defineDatabaseService, type ServicePlugin } from "@hostwright/core/plugin";
import { accountType } from "./account-type.ts";
import { databaseType } from "./database-type.ts";
import { facts } from "./facts.ts";
import { FLAVOURS } from "./flavour.ts";
import { MysqlOptions, type MysqlOptionsInput } from "./options.ts";
import { problems } from "./problems.ts";
import { role } from "./role.ts";

/** Databases on MariaDB or MySQL: for each site one database and accounts that reach that database only. */
export const mysql: ServicePlugin<MysqlOptionsInput> = defineDatabaseService({
  name: "@hostwright/service-mysql",
  contract: CONTRACT,
  type: "mysql",
  options: { version: 1, schema: MysqlOptions },
  packages: ({ flavour }) => FLAVOURS[flavour].packages,
  facts,
  problems,
  role,
  resourceTypes: [databaseType, accountType],
});
