import type * as z from "zod";
import type { Operation } from "../contracts/operation.ts";
import type {
  FactProbe,
  OptionsDefinition,
  Requirement,
  ServiceDefinition,
  ServiceKind,
  ServicePlugin,
  ServiceRoles,
  UnwantedUnit,
} from "../contracts/plugin.ts";
import type { Problem } from "../contracts/problem.ts";
import type { AnyResourceType } from "../contracts/resource.ts";
import type { ServerView } from "../contracts/views.ts";

type Common<S extends z.ZodType, Role extends keyof ServiceRoles> = {
  readonly name: string;
  readonly contract: number;
  readonly type: string;
  readonly requires?: readonly Requirement[];
  readonly options: OptionsDefinition & { readonly schema: S };
  packages(options: z.output<S>): readonly string[];
  unwantedUnits?(options: z.output<S>): readonly UnwantedUnit[];
  facts(options: z.output<S>): Readonly<Record<string, FactProbe>>;
  problems(view: ServerView): readonly Problem[];
  readonly role: ServiceRoles[Role];
  readonly resourceTypes?: readonly AnyResourceType[];
  readonly operations?: readonly Operation[];
};

/** Of a kind that several packages may have services of. */
interface OfKind {
  /** The kind's name, or the kind itself from the one package that brings it. */
  readonly kind: string | ServiceKind;
  /** Of the kind, where it is given by name. Default: 1. */
  readonly kindVersion?: number;
}

function servicePlugin<S extends z.ZodType, Role extends keyof ServiceRoles>(
  definition: Common<S, Role> & OfKind,
): ServicePlugin<z.input<S>> {
  const { name, contract, requires = [], resourceTypes = [], operations = [], kind: given, ...rest } = definition;
  const own = typeof given === "string" ? null : given;
  const kind = typeof given === "string" ? given : given.name;
  // What is misspelt goes along, to be refused by its name when the plugin is loaded.
  const service = {
    unwantedUnits: () => [],
    ...rest,
    kind,
    ...(own === null ? {} : { kindVersion: own.version }),
  } as ServiceDefinition;
  return {
    name,
    contract,
    requires,
    kinds: own === null ? [] : [own],
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

export function defineHttpService<S extends z.ZodType>(definition: Common<S, "http">): ServicePlugin<z.input<S>> {
  return servicePlugin({ ...definition, kind: "http" });
}

export function defineDatabaseService<S extends z.ZodType>(
  definition: Common<S, "database">,
): ServicePlugin<z.input<S>> {
  return servicePlugin({ ...definition, kind: "db" });
}

export function defineCacheService<S extends z.ZodType>(definition: Common<S, "cache">): ServicePlugin<z.input<S>> {
  return servicePlugin({ ...definition, kind: "cache" });
}

/** What runs the code of sites: `kind: "php"`, or a kind of the package's own. */
export function defineRuntimeService<S extends z.ZodType>(
  definition: Common<S, "runtime"> & OfKind,
): ServicePlugin<z.input<S>> {
  return servicePlugin(definition);
}

/** What keeps something for sites: of a kind of the package's own, or of another one's. */
export function defineBackingService<S extends z.ZodType>(
  definition: Common<S, "backing"> & OfKind,
): ServicePlugin<z.input<S>> {
  return servicePlugin(definition);
}
