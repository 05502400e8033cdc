import type { Plugin, ServiceDefinition } from "@hostwright/core/plugin";

type OfKind<K extends ServiceDefinition["kind"]> = Extract<ServiceDefinition, { kind: K }>;

/** The plugin's one service of a kind. @throws Error where it has none */
export function serviceOf<K extends ServiceDefinition["kind"]>(plugin: Plugin, kind: K): OfKind<K> {
  const found = plugin.services?.find((service) => service.kind === kind);
  if (found === undefined) throw new Error(`${plugin.name} brings no service of kind ${kind}`);
  return found as OfKind<K>;
}

/** Frozen throughout, so that a function which changes what it is given throws. Functions in it stay. */
export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
