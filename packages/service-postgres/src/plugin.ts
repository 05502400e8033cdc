import { CONTRACT, defineDatabaseService, type ServicePlugin } from "@hostwright/core/plugin";
import { accessType } from "./access-type.ts";
import { accountType } from "./account-type.ts";
import { databaseType } from "./database-type.ts";
import { facts } from "./facts.ts";
import { PostgresOptions, type PostgresOptionsInput } from "./options.ts";
import { problems } from "./problems.ts";
import { role } from "./role.ts";

/** Databases on PostgreSQL: for each site one role, and one database that it alone may connect to. */
export const postgres: ServicePlugin<PostgresOptionsInput> = defineDatabaseService({
  name: "@hostwright/service-postgres",
  contract: CONTRACT,
  type: "postgres",
  options: { version: 1, schema: PostgresOptions },
  packages: ({ version }) => [`postgresql-${version}`],
  facts,
  problems,
  role,
  resourceTypes: [databaseType, accountType, accessType],
});
