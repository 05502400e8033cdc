import { CONTRACT, defineCacheService, type ServicePlugin } from "@hostwright/core/plugin";
import { accountType } from "./account-type.ts";
import { facts } from "./facts.ts";
import { RedisOptions, type RedisOptionsInput } from "./options.ts";
import { problems } from "./problems.ts";
import { role } from "./role.ts";

/** An object cache on Redis for sites that ask for one: each with an account that reaches its own keys only. */
export const redis: ServicePlugin<RedisOptionsInput> = defineCacheService({
  name: "@hostwright/service-redis",
  contract: CONTRACT,
  type: "redis",
  options: { version: 1, schema: RedisOptions },
  packages: () => ["redis-server"],
  facts: () => facts,
  problems,
  role,
  resourceTypes: [accountType],
});
