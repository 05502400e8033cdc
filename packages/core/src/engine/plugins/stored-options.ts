import type { OptionsDefinition } from "../../contracts/plugin.ts";
import type { Problem } from "../../contracts/problem.ts";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import { showIssues } from "../../model/parse.ts";
import { STORED_BINDINGS } from "../../model/stored-records.ts";
import type { PlatformRecord, ServerRecord, ServiceRecord, SiteRecord } from "../../model/records.ts";
import type { Registry } from "./registry.ts";

interface StoredOptions {
  readonly options: unknown;
  readonly optionsVersion: number;
}

const LEFT = "It was left as it is.";

/** The service with its options as the loaded plugin takes them. @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE */
export function readService(registry: Registry, server: ServerRecord, service: ServiceRecord): ServiceRecord {
  const { kind, type, name } = service;
  const definition = registry.findService(kind, type);
  if (definition === undefined) {
    throw missing(`${server.name} has the ${kind} service ${name} of type "${type}"`, `${kind} "${type}"`, server.name);
  }
  const plugin = registry.pluginOf(definition) ?? "";
  return readOptions(service, definition.options, `${kind} service ${name} of ${server.name}`, plugin);
}

/** The same of a platform. @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE */
export function readPlatform(registry: Registry, platform: PlatformRecord): PlatformRecord {
  const definition = registry.findPlatform(platform.type);
  if (definition === undefined) {
    throw missing(`Platform ${platform.name} is of type "${platform.type}"`, `platform "${platform.type}"`);
  }
  const plugin = registry.pluginOf(definition) ?? "";
  return readOptions(platform, definition.options, `platform ${platform.name}`, plugin);
}

/** The same of a site, whose options are its platform type's. @throws HW_PLUGIN_MISSING, HW_OPTIONS_INCOMPATIBLE */
export function readSite(registry: Registry, platform: PlatformRecord | undefined, site: SiteRecord): SiteRecord {
  const type = platform?.type ?? "";
  const definition = registry.findPlatform(type);
  if (definition === undefined)
    throw missing(`Site ${site.domain} is on a platform of type "${type}"`, `platform "${type}"`);
  if (!STORED_BINDINGS.safeParse(site.bindings).success)
    throw new HostwrightError("HW_STORE_DAMAGED", `The record of site ${site.domain} is damaged. ${LEFT}`, {
      remedy: "See what hw.check() tells, and put store.db back from a backup.",
    });
  const plugin = registry.pluginOf(definition) ?? "";
  return readOptions(site, definition.siteOptions, `site ${site.domain}`, plugin);
}

/** Is it what the functions above throw? */
export function isUnfit(error: unknown): error is HostwrightError {
  return isHostwrightError(error) && ["HW_PLUGIN_MISSING", "HW_OPTIONS_INCOMPATIBLE"].includes(error.code);
}

/** As verify tells it. In nobody's way but theirs who need that record: they are refused by it. */
export function problemOf({ code, message, remedy }: HostwrightError): Problem {
  return { code, message, remedy, tolerable: true };
}

/** Older options go through the plugin's migration and its schema; those of a version it cannot know are refused. */
function readOptions<T extends StoredOptions>(
  stored: T,
  definition: OptionsDefinition,
  what: string,
  plugin: string,
): T {
  const { version, schema } = definition;
  const { options, optionsVersion: from } = stored;
  if (from === version) return stored;
  const refuse = (why: string, remedy: string, cause?: unknown): HostwrightError =>
    new HostwrightError("HW_OPTIONS_INCOMPATIBLE", `The options of ${what} are of version ${from}; ${why}. ${LEFT}`, {
      remedy,
      cause,
      data: { plugin, stored: from, known: version },
    });
  if (from > version) {
    throw refuse(
      `the loaded ${plugin} knows them up to version ${version}`,
      `Load the version of ${plugin} that wrote them, or a later one.`,
    );
  }
  try {
    const migrated: unknown = definition.migrate === undefined ? options : definition.migrate(options, from);
    const parsed = schema.safeParse(migrated);
    if (parsed.success) return { ...stored, options: parsed.data, optionsVersion: version };
    throw new Error(showIssues(parsed.error.issues));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 300) : "";
    throw refuse(
      `${plugin} could not bring them to version ${version}: ${reason}`,
      `Load a version of ${plugin} that can, or put a server or platform again with options that fit.`,
      cause,
    );
  }
}

function missing(has: string, brings: string, server?: string): HostwrightError {
  return new HostwrightError("HW_PLUGIN_MISSING", `${has}, which no loaded plugin brings. ${LEFT}`, {
    remedy: `Load the plugin that brings ${brings}.`,
    ...(server === undefined ? {} : { server }),
  });
}
