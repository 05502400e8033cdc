import { CONTRACT, type PlatformDefinition, type Plugin, type ServiceDefinition } from "../contracts/plugin.ts";
import type { ResourceType } from "../contracts/resource.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { parseInput } from "../model/parse.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- each type has its own spec and state; the engine passes them through
export type AnyResourceType = ResourceType<any, any>;

/** What the loaded plugins bring, by name. Refuses what cannot work, at start, naming plugin and mend. */
export class Registry {
  readonly #services = new Map<string, { definition: ServiceDefinition; plugin: string }>();
  readonly #platforms = new Map<string, { definition: PlatformDefinition; plugin: string }>();
  readonly #types = new Map<string, { definition: AnyResourceType; plugin: string }>();

  constructor(plugins: readonly Plugin[], coreTypes: readonly AnyResourceType[]) {
    for (const definition of coreTypes) this.#types.set(definition.name, { definition, plugin: "@hostwright/core" });
    const names = new Set<string>();
    for (const plugin of plugins) {
      if (typeof plugin?.name !== "string")
        throw refuse("a plugin without a name was given; pass what the package exports");
      if (plugin.contract !== CONTRACT) {
        throw refuse(
          `${plugin.name} is built for contract ${plugin.contract}, this core has ${CONTRACT}; install versions that fit`,
        );
      }
      if (names.has(plugin.name)) throw refuse(`${plugin.name} is given twice; list it once`);
      names.add(plugin.name);
      for (const definition of plugin.services ?? []) {
        this.#add(
          this.#services,
          `${definition.kind}:${definition.type}`,
          { definition, plugin: plugin.name },
          "service",
        );
      }
      for (const definition of plugin.platforms ?? []) {
        this.#add(this.#platforms, definition.type, { definition, plugin: plugin.name }, "platform");
      }
      for (const definition of plugin.resourceTypes ?? []) {
        this.#add(this.#types, definition.name, { definition, plugin: plugin.name }, "resource type");
      }
    }
  }

  service(kind: string, type: string): ServiceDefinition {
    const found = this.#services.get(`${kind}:${type}`);
    if (found !== undefined) return found.definition;
    const known = [...this.#services.keys()].map((key) => key.replace(":", " ")).join(", ");
    throw new HostwrightError("HW_SERVICE_UNKNOWN", `No plugin offers ${kind} "${type}". Loaded: ${known || "none"}.`);
  }

  platform(type: string): PlatformDefinition {
    const found = this.#platforms.get(type);
    if (found !== undefined) return found.definition;
    const known = [...this.#platforms.keys()].join(", ");
    throw new HostwrightError(
      "HW_PLATFORM_UNKNOWN",
      `No plugin offers platform "${type}". Loaded: ${known || "none"}.`,
    );
  }

  platforms(): readonly PlatformDefinition[] {
    return [...this.#platforms.values()].map((entry) => entry.definition);
  }

  resourceType(name: string): AnyResourceType {
    const found = this.#types.get(name);
    if (found !== undefined) return found.definition;
    throw new HostwrightError("HW_PLUGIN_MISSING", `No loaded plugin knows the resource type "${name}".`);
  }

  /** Parses options against the definition that brings them. */
  options(owner: ServiceDefinition | PlatformDefinition, value: unknown, what: string): unknown {
    return parseInput(owner.options.schema, value ?? {}, what);
  }

  #add<T extends { plugin: string }>(map: Map<string, T>, key: string, entry: T, what: string): void {
    const other = map.get(key);
    if (other !== undefined) {
      throw refuse(`${entry.plugin} and ${other.plugin} both bring the ${what} "${key}"; load one of them`);
    }
    map.set(key, entry);
  }
}

function refuse(message: string): HostwrightError {
  return new HostwrightError("HW_PLUGIN_INVALID", `createHostwright: ${message}.`);
}
