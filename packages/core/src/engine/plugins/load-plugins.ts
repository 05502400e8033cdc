import type * as z from "zod";
import type { OptionsDefinition, Plugin, Requirement } from "../../contracts/plugin.ts";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import { showIssues } from "../../model/parse.ts";
import { CONTRACT } from "../../plugin-kit/contract.ts";
import { CORE_KINDS } from "../../plugin-kit/kinds.ts";
import { kindIssues } from "./kind-issues.ts";
import { PluginShape } from "./plugin-shape.ts";

const AS_EXPORTED = "List what its package exports by name.";

/**
 * Judges once what packages hand over, before anything is opened: whatever is wrong is named with its plugin and the remedy.
 * @throws HW_PLUGIN_INVALID
 */
export function loadPlugins(given: readonly unknown[]): readonly Plugin[] {
  const plugins = given.map((value, index) => loadPlugin(value, `plugins[${index}]`));
  const kinds = new Map([...plugins.flatMap((plugin) => plugin.kinds ?? []), ...CORE_KINDS].map((it) => [it.name, it]));
  for (const plugin of plugins) {
    for (const requirement of plugin.requires ?? []) refuseMissing(plugin, requirement, plugins);
    const issues = kindIssues(plugin, kinds);
    if (issues.length > 0) throw refuseShape(plugin, issues);
  }
  return plugins;
}

export function refusePlugin(what: string, remedy: string, plugin: string, cause?: unknown): HostwrightError {
  const message = `createHostwright: ${what.replace(/\.?$/, ".")} ${remedy}`;
  return new HostwrightError("HW_PLUGIN_INVALID", message, { remedy, data: { plugin }, cause });
}

function loadPlugin(value: unknown, place: string): Plugin {
  let name = place;
  try {
    if (typeof value !== "object" || value === null) throw noPlugin(value, place);
    const plugin = value as Plugin;
    if (typeof plugin.name !== "string" || plugin.name === "") throw noPlugin(value, place);
    name = plugin.name;
    // First: what another contract has besides is not this one's to judge.
    if (plugin.contract !== CONTRACT) {
      const theirs = `is built for contract ${String(plugin.contract)}, this core has ${CONTRACT}`;
      throw refusePlugin(`${name} ${theirs}`, "Install versions of both that fit.", name);
    }
    const parsed = PluginShape.safeParse(plugin);
    if (!parsed.success) throw refuseShape(plugin, parsed.error.issues);
    for (const [what, definition] of optionsOf(plugin)) refuseDefaults(name, what, definition);
    return plugin;
  } catch (error) {
    if (isHostwrightError(error)) throw error;
    const said = error instanceof Error ? error.message.slice(0, 300) : String(error).slice(0, 300);
    throw refusePlugin(`${name} threw when it was loaded: ${said}`, "Fix the plugin, or leave it out.", name, error);
  }
}

function refuseShape(plugin: Plugin, issues: readonly z.core.$ZodIssue[]): HostwrightError {
  const shown = issues.map((issue) => showIssue(issue, plugin)).join("; ");
  return refusePlugin(`${plugin.name}: ${shown}`, "Fix the plugin, or install a version of it that fits.", plugin.name);
}

/** The mistakes that an import makes easy, each by its name. */
function noPlugin(value: unknown, place: string): HostwrightError {
  if (value === undefined)
    return refusePlugin(`${place} is undefined: its package has no such export`, AS_EXPORTED, place);
  if (typeof value === "function")
    return refusePlugin(`${place} is a function`, "Call it, and list what it returns.", place);
  if (typeof value !== "object" || value === null)
    return refusePlugin(`${place} is no plugin (${value === null ? "null" : typeof value})`, AS_EXPORTED, place);
  if (value instanceof Promise) return refusePlugin(`${place} is a promise`, "Await it.", place);
  const inside = Object.entries(value).flatMap(([key, entry]) => (isLikePlugin(entry) ? [key] : []));
  if (inside.length === 0) return refusePlugin(`${place} is no plugin: it has no name`, AS_EXPORTED, place);
  const exports = inside.join(", ");
  return refusePlugin(`${place} is a whole module, not a plugin`, `List what it exports by name: ${exports}.`, place);
}

function isLikePlugin(value: unknown): boolean {
  return typeof value === "object" && value !== null && "name" in value && "contract" in value;
}

/** `services[0] (http "nginx") role.port is not a function`. */
function showIssue(issue: z.core.$ZodIssue, plugin: Plugin): string {
  const [list, index, ...rest] = issue.path;
  const owner = list === undefined || index === undefined ? null : labelOf(plugin, String(list), Number(index));
  const field = (owner === null ? issue.path : rest).join(".");
  const where = [owner, field].filter((word) => word !== null && word !== "").join(" ");
  const says =
    issue.code === "unrecognized_keys"
      ? `has ${issue.keys.map((key) => `"${key}"`).join(", ")}, which this core does not know: misspelt, or of a later version`
      : issue.message.replace(/^Invalid input: /, "");
  return `${where === "" ? "it" : where} ${says}`;
}

function labelOf(plugin: Plugin, list: string, index: number): string {
  const entry = (plugin as unknown as Record<string, readonly unknown[] | undefined>)[list]?.[index];
  const { kind, type, name } = (entry ?? {}) as Record<string, unknown>;
  const label = [kind, type ?? name].filter((word) => typeof word === "string").join(" ");
  return label === "" ? `${list}[${index}]` : `${list}[${index}] (${label})`;
}

function optionsOf(plugin: Plugin): readonly (readonly [string, OptionsDefinition])[] {
  return [
    ...(plugin.services ?? []).map((entry) => [`options of ${entry.kind} ${entry.type}`, entry.options] as const),
    ...(plugin.platforms ?? []).flatMap((entry) => [
      [`options of platform ${entry.type}`, entry.options] as const,
      [`options of sites on ${entry.type}`, entry.siteOptions] as const,
    ]),
  ];
}

/** zod takes a default as it is: whether it fits shows when what was stored is judged again. */
function refuseDefaults(plugin: string, what: string, { schema }: OptionsDefinition): void {
  const none = {};
  const first = schema.safeParse(none, { reportInput: true });
  // What must be given has no default that could be wrong.
  const wrong = first.success
    ? schema.safeParse(first.data).error?.issues
    : first.error.issues.filter(({ input }) => input !== undefined && input !== none);
  if (wrong === undefined || wrong.length === 0) return;
  throw refusePlugin(
    `${plugin}: the ${what} do not take their own defaults (${showIssues(wrong)})`,
    "Correct the defaults in the plugin's schema.",
    plugin,
  );
}

function refuseMissing(plugin: Plugin, requirement: Requirement, loaded: readonly Plugin[]): void {
  if ("plugin" in requirement) {
    if (loaded.some((other) => other.name === requirement.plugin)) return;
    throw refusePlugin(
      `${plugin.name} needs ${requirement.plugin}`,
      `List ${requirement.plugin} among the plugins too.`,
      plugin.name,
    );
  }
  const { service: kind, type } = requirement;
  const services = loaded.flatMap((other) => other.services ?? []);
  if (services.some((other) => other.kind === kind && (type === undefined || other.type === type))) return;
  const what = type === undefined ? `a service of kind ${kind}` : `the ${kind} service "${type}"`;
  throw refusePlugin(`${plugin.name} needs ${what}, and no plugin brings it`, "List a plugin that does.", plugin.name);
}
