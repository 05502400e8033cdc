import type { Operation } from "../../contracts/operation.ts";
import type { PlatformDefinition, Plugin, ServiceDefinition, ServiceKind } from "../../contracts/plugin.ts";
import type { AnyResourceType } from "../../contracts/resource.ts";
import type { AnyTaskType } from "../../contracts/task.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { parseInput } from "../../model/parse.ts";
import { CONTRACT } from "../../plugin-kit/contract.ts";
import { CORE_KINDS } from "../../plugin-kit/kinds.ts";
import { refusePlugin } from "./load-plugins.ts";

interface Entry<T> {
  readonly definition: T;
  readonly plugin: string;
}

const CORE = "@hostwright/core";

/** What loaded plugins bring, by name. Two that bring the same are refused at start, naming both. */
export class Registry {
  readonly #kinds = new Map<string, Entry<ServiceKind>>();
  readonly #services = new Map<string, Entry<ServiceDefinition>>();
  readonly #platforms = new Map<string, Entry<PlatformDefinition>>();
  readonly #types = new Map<string, Entry<AnyResourceType>>();
  readonly #operations = new Map<string, Entry<Operation>>();
  readonly #tasks = new Map<string, Entry<AnyTaskType>>();

  constructor(
    plugins: readonly Plugin[],
    coreTypes: readonly AnyResourceType[],
    coreOperations: readonly Operation[] = [],
    tasks: readonly AnyTaskType[] = [],
  ) {
    this.#bring({
      name: CORE,
      contract: CONTRACT,
      kinds: CORE_KINDS,
      resourceTypes: coreTypes,
      operations: coreOperations,
      tasks,
    });
    const names = new Set<string>();
    for (const plugin of plugins) {
      if (names.has(plugin.name)) throw refusePlugin(`${plugin.name} is given twice`, "List it once.", plugin.name);
      names.add(plugin.name);
      this.#bring(plugin);
    }
  }

  /** Undefined of a kind whose plugin is gone. */
  kind(name: string): ServiceKind | undefined {
    return this.#kinds.get(name)?.definition;
  }

  service(kind: string, type: string): ServiceDefinition {
    const found = this.findService(kind, type);
    if (found !== undefined) return found;
    const known = [...this.#services.keys()].map((key) => key.replace(":", " ")).join(", ");
    throw new HostwrightError("HW_SERVICE_UNKNOWN", `No plugin offers ${kind} "${type}". Loaded: ${known || "none"}.`);
  }

  /** The same for what a record names: its plugin may be gone. */
  findService(kind: string, type: string): ServiceDefinition | undefined {
    return this.#services.get(`${kind}:${type}`)?.definition;
  }

  platform(type: string): PlatformDefinition {
    const found = this.findPlatform(type);
    if (found !== undefined) return found;
    const known = [...this.#platforms.keys()].join(", ");
    throw new HostwrightError(
      "HW_PLATFORM_UNKNOWN",
      `No plugin offers platform "${type}". Loaded: ${known || "none"}.`,
    );
  }

  /** The same for what a record names: its plugin may be gone. */
  findPlatform(type: string): PlatformDefinition | undefined {
    return this.#platforms.get(type)?.definition;
  }

  platforms(): readonly PlatformDefinition[] {
    return [...this.#platforms.values()].map((entry) => entry.definition);
  }

  resourceType(name: string): AnyResourceType {
    const found = this.findResourceType(name);
    if (found !== undefined) return found;
    throw new HostwrightError("HW_PLUGIN_MISSING", `No loaded plugin knows the resource type "${name}".`);
  }

  resourceTypes(): readonly AnyResourceType[] {
    return [...this.#types.values()].map((entry) => entry.definition);
  }

  /** The same for what a plan or the register names: its plugin may be gone. */
  findResourceType(name: string): AnyResourceType | undefined {
    return this.#types.get(name)?.definition;
  }

  /** By `name@version`. */
  operations(): ReadonlyMap<string, Operation> {
    return new Map([...this.#operations].map(([key, entry]) => [key, entry.definition]));
  }

  /** By type. */
  tasks(): ReadonlyMap<string, AnyTaskType> {
    return new Map([...this.#tasks].map(([type, entry]) => [type, entry.definition]));
  }

  /** Name of the plugin that brings it; `definition` is what one of the methods above gave. */
  pluginOf(definition: ServiceDefinition | PlatformDefinition | AnyResourceType | Operation): string | null {
    for (const map of [this.#services, this.#platforms, this.#types, this.#operations]) {
      for (const entry of map.values()) if (entry.definition === definition) return entry.plugin;
    }
    return null;
  }

  /** Parses options against the definition that brings them. */
  options(owner: ServiceDefinition | PlatformDefinition, value: unknown, what: string): unknown {
    return parseInput(owner.options.schema, value ?? {}, what);
  }

  #bring({ name: plugin, kinds, services, platforms, resourceTypes, operations, tasks }: Plugin): void {
    for (const definition of kinds ?? []) this.#add(this.#kinds, definition.name, { definition, plugin }, "kind");
    for (const definition of services ?? [])
      this.#add(this.#services, `${definition.kind}:${definition.type}`, { definition, plugin }, "service");
    for (const definition of platforms ?? [])
      this.#add(this.#platforms, definition.type, { definition, plugin }, "platform");
    for (const definition of resourceTypes ?? [])
      this.#add(this.#types, definition.name, { definition, plugin }, "resource type");
    for (const definition of operations ?? []) this.#addOperation({ definition, plugin });
    for (const definition of tasks ?? []) this.#add(this.#tasks, definition.type, { definition, plugin }, "task type");
  }

  /** Several versions side by side, all of one plugin: nobody else may speak for what it stored. */
  #addOperation(entry: Entry<Operation>): void {
    const { name, version } = entry.definition;
    const other = this.#operations.values().find((known) => known.definition.name === name);
    if (other !== undefined && other.plugin !== entry.plugin)
      throw refuseBoth(entry.plugin, other.plugin, `the operation "${name}"`);
    this.#add(this.#operations, `${name}@${version}`, entry, "operation");
  }

  #add<T>(map: Map<string, Entry<T>>, key: string, entry: Entry<T>, what: string): void {
    const other = map.get(key);
    if (other?.plugin === entry.plugin)
      throw refusePlugin(`${entry.plugin} brings the ${what} "${key}" twice`, "List it once.", entry.plugin);
    if (other !== undefined) throw refuseBoth(entry.plugin, other.plugin, `the ${what} "${key}"`);
    map.set(key, entry);
  }
}

function refuseBoth(plugin: string, other: string, what: string): HostwrightError {
  return refusePlugin(`${plugin} and ${other} both bring ${what}`, "Load only one of them.", plugin);
}
