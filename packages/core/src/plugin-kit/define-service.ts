import type * as z from "zod";
import type { Operation } from "../contracts/operation.ts";
import type { FactProbe, OptionsDefinition, Requirement, ServiceDefinition } from "../contracts/plugin.ts";
import type { ServicePlugin, UnwantedUnit } from "../contracts/plugin.ts";
import type { Problem } from "../contracts/problem.ts";
import type { AnyResourceType } from "../contracts/resource.ts";
import type { CacheRole } from "../contracts/roles/cache.ts";
import type { DatabaseRole } from "../contracts/roles/database.ts";
import type { HttpRole } from "../contracts/roles/http.ts";
import type { PhpRole } from "../contracts/roles/php.ts";
import type { ServerView } from "../contracts/views.ts";

type Common<S extends z.ZodType> = {
  readonly name: string;
  readonly contract: number;
  readonly type: string;
  readonly requires?: readonly Requirement[];
  readonly options: OptionsDefinition & { readonly schema: S };
  packages(options: z.output<S>): readonly string[];
  unwantedUnits?(options: z.output<S>): readonly UnwantedUnit[];
  facts(options: z.output<S>): Readonly<Record<string, FactProbe>>;
  problems(view: ServerView): readonly Problem[];
  readonly resourceTypes?: readonly AnyResourceType[];
  readonly operations?: readonly Operation[];
};

function servicePlugin<S extends z.ZodType>(
  kind: ServiceDefinition["kind"],
  definition: Common<S>,
  role: HttpRole | PhpRole | DatabaseRole | CacheRole,
): ServicePlugin<z.input<S>> {
  const { name, contract, requires = [], resourceTypes = [], operations = [], ...rest } = definition;
  // What is misspelt goes along, to be refused by its name when the plugin is loaded.
  const service = { unwantedUnits: () => [], ...rest, kind, role } as ServiceDefinition;
  return {
    name,
    contract,
    requires,
    services: [service],
    resourceTypes,
    operations,
    service: (options, serviceName) => ({
      kind,
      type: definition.type,
      options: options ?? {},
      ...(serviceName === undefined ? {} : { name: serviceName }),
    }),
  };
}

export function defineHttpService<S extends z.ZodType>(
  definition: Common<S> & { readonly role: HttpRole },
): ServicePlugin<z.input<S>> {
  return servicePlugin("http", definition, definition.role);
}

export function definePhpService<S extends z.ZodType>(
  definition: Common<S> & { readonly role: PhpRole },
): ServicePlugin<z.input<S>> {
  return servicePlugin("php", definition, definition.role);
}

export function defineDatabaseService<S extends z.ZodType>(
  definition: Common<S> & { readonly role: DatabaseRole },
): ServicePlugin<z.input<S>> {
  return servicePlugin("db", definition, definition.role);
}

export function defineCacheService<S extends z.ZodType>(
  definition: Common<S> & { readonly role: CacheRole },
): ServicePlugin<z.input<S>> {
  return servicePlugin("cache", definition, definition.role);
}
