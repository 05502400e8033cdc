import type { Plugin, ServiceDefinition, ServiceRoles } from "@hostwright/core/plugin";

/** The contracts of core's own kinds. */
export interface CoreKinds {
  readonly http: ServiceRoles["http"];
  readonly php: ServiceRoles["runtime"];
  readonly db: ServiceRoles["database"];
  readonly cache: ServiceRoles["cache"];
}

/** The plugin's one service of a kind. @throws Error where it has none */
export function serviceOf<K extends keyof CoreKinds>(plugin: Plugin, kind: K): ServiceDefinition<CoreKinds[K]> {
  const found = plugin.services?.find((service) => service.kind === kind);
  if (found === undefined) throw new Error(`${plugin.name} brings no service of kind ${kind}`);
  return found as ServiceDefinition<CoreKinds[K]>;
}

/** The plugin's one service that runs the code of sites, of whatever kind. @throws Error where it has none */
export function runtimeOf(plugin: Plugin): ServiceDefinition<ServiceRoles["runtime"]> {
  const found = plugin.services?.find(({ role }) => "interpreter" in role);
  if (found === undefined) throw new Error(`${plugin.name} brings no runtime`);
  return found as ServiceDefinition<ServiceRoles["runtime"]>;
}

/** Frozen throughout, so that a function which changes what it is given throws. Functions in it stay. */
export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
