import type { ServerRecord } from "../../model/records.ts";
import type { Action, Need, RunAction } from "./plan.ts";
import type { Registry } from "../plugins/registry.ts";

/** Kinds of steps that a former worker did not know, with the version of what a plan says of them. */
const STEP_VERSIONS: ReadonlyMap<string, number> = new Map([["transfer", 1]]);

/** What a worker must know to do and to take back these actions, each once. */
export function needsOf(
  registry: Registry,
  actions: readonly Action[],
  servers: ReadonlyMap<string, ServerRecord>,
): readonly Need[] {
  const needs = actions.flatMap((action): readonly Need[] => {
    if (action.kind === "run") return [operationNeed(registry, action)];
    if (action.kind === "activate") return serviceNeed(registry, servers.get(action.server), action.service);
    if (action.kind === "transfer") return [stepNeed(action.kind)];
    return [...new Set(action.changes.map(({ type }) => type))].map((type) => typeNeed(registry, type));
  });
  return [...new Map(needs.map((need) => [showNeed(need), need])).values()];
}

/** Those that the loaded plugins do not bring, in just that version. */
export function missingNeeds(
  registry: Registry,
  operations: ReadonlyMap<string, unknown>,
  needs: readonly Need[],
): readonly Need[] {
  return needs.filter((need) => {
    if (need.kind === "operation") return !operations.has(`${need.name}@${need.version}`);
    if (need.kind === "step") return STEP_VERSIONS.get(need.name) !== need.version;
    if (need.kind === "resource type") return typeVersion(registry, need.name) !== need.version;
    const [kind = "", type = ""] = need.name.split(" ");
    return registry.findService(kind, type) === undefined;
  });
}

/** `operation site-command@1 (@hostwright/core)`. */
export function showNeed({ kind, name, version, plugin }: Need): string {
  return `${kind} ${name}${version === null ? "" : `@${version}`}${plugin === null ? "" : ` (${plugin})`}`;
}

function operationNeed(registry: Registry, { operation: name, version }: RunAction): Need {
  const operation = registry.operations().get(`${name}@${version}`);
  return { kind: "operation", name, version, plugin: operation === undefined ? null : registry.pluginOf(operation) };
}

function stepNeed(name: "transfer"): Need {
  return { kind: "step", name, version: STEP_VERSIONS.get(name) ?? null, plugin: "@hostwright/core" };
}

function typeNeed(registry: Registry, name: string): Need {
  const plugin = registry.pluginOf(registry.resourceType(name));
  return { kind: "resource type", name, version: typeVersion(registry, name), plugin };
}

function serviceNeed(registry: Registry, server: ServerRecord | undefined, name: string): readonly Need[] {
  const record = server?.services.find((service) => service.name === name);
  const definition = record === undefined ? undefined : registry.findService(record.kind, record.type);
  if (record === undefined || definition === undefined) return [];
  return [
    { kind: "service", name: `${record.kind} ${record.type}`, version: null, plugin: registry.pluginOf(definition) },
  ];
}

function typeVersion(registry: Registry, name: string): number | null {
  const type = registry.findResourceType(name);
  return type === undefined ? null : (type.version ?? 1);
}
