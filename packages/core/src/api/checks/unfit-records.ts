import type { OptionsDefinition } from "../../contracts/plugin.ts";
import { readPlatform, readService, readSite } from "../../engine/plugins/stored-options.ts";
import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { isHostwrightError } from "../../errors/hostwright-error.ts";
import type { PlatformRecord, ServerRecord, SiteRecord } from "../../model/records.ts";
import { STORED } from "../../model/stored-records.ts";
import { RESTORE, type StateProblem } from "./check.ts";
import { everyRecord } from "../record-access.ts";

const PUT = "Put it again with options that fit.";

/** Each record has what is needed of its kind, and options that its plugin takes. */
export async function* unfitRecords({ store, registry }: EngineParts): AsyncGenerator<StateProblem> {
  for await (const server of everyRecord<ServerRecord>(store.records, "server")) {
    const where = `server ${server.name}`;
    const broken = shapeProblem("server", server, where);
    if (broken !== null) yield broken;
    for (const service of broken === null ? server.services : []) {
      const definition = registry.findService(service.kind, service.type);
      const read = (): unknown => readService(registry, server, service).options;
      yield* options(where, `of its ${service.kind} service ${service.name}`, definition?.options, read);
    }
  }
  const platforms = new Map<string, PlatformRecord>();
  for await (const platform of everyRecord<PlatformRecord>(store.records, "platform")) {
    const where = `platform ${platform.name}`;
    platforms.set(platform.id, platform);
    const broken = shapeProblem("platform", platform, where);
    if (broken !== null) yield broken;
    else {
      const definition = registry.findPlatform(platform.type);
      yield* options(where, "of it", definition?.options, () => readPlatform(registry, platform).options);
    }
  }
  for await (const site of everyRecord<SiteRecord>(store.records, "site")) {
    if (site.status === "draft") continue;
    const where = `site ${site.domain}`;
    const platform = platforms.get(site.platform);
    const broken = shapeProblem("site", site, where);
    if (broken !== null) yield broken;
    // One whose platform is missing is told by its reference, one whose plugin is, by the platform.
    else if (platform !== undefined && registry.findPlatform(platform.type) !== undefined) {
      const definition = registry.findPlatform(platform.type);
      yield* options(where, "of it", definition?.siteOptions, () => readSite(registry, platform, site).options);
    }
  }
}

function shapeProblem(kind: keyof typeof STORED, record: unknown, where: string): StateProblem | null {
  const parsed = STORED[kind].safeParse(record);
  if (parsed.success) return null;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  return { code: "HW_STORE_DAMAGED", where, what: `its record is no ${kind}: ${issues.join("; ")}`, remedy: RESTORE };
}

function* options(
  where: string,
  whose: string,
  definition: OptionsDefinition | undefined,
  read: () => unknown,
): Generator<StateProblem> {
  try {
    const value = read();
    const parsed = definition?.schema.safeParse(value);
    if (parsed === undefined || parsed.success) return;
    const what = `its plugin refuses the options ${whose}: ${parsed.error.message.slice(0, 300)}`;
    yield { code: "HW_OPTIONS_INCOMPATIBLE", where, what, remedy: PUT };
  } catch (error) {
    if (!isHostwrightError(error)) throw error;
    yield { code: error.code, where, what: error.message, remedy: error.remedy };
  }
}
