import { HostwrightError } from "../errors/hostwright-error.ts";
import type { PlatformDefinition } from "../contracts/plugin.ts";
import type { RecordChange } from "../contracts/store.ts";
import type { Driver } from "../contracts/platform.ts";
import type { Declared } from "../contracts/resource.ts";
import type { AssumedSet, EnsureStep, Owned } from "../contracts/steps.ts";
import type { PlatformRecord } from "../model/records.ts";
import { file } from "../resources/file.ts";
import { surveyTree } from "../resources/tree-digest.ts";
import { tree } from "../resources/tree.ts";
import { checkSource } from "./check-source.ts";
import { DRIVER_FOLDER } from "./server-steps.ts";
import type { Members, Planning } from "../contracts/planning.ts";

/** A platform's release, as it stands or as it will be published. */
export interface Release {
  readonly digest: string;
  readonly version: string;
  /** Room that it takes; of a release that is published not asked any more. */
  readonly bytes?: number;
}

/** Reads the source folder unless the release is known: a published release is never read again. */
export async function releaseOf(platform: PlatformRecord, definition: PlatformDefinition): Promise<Release> {
  if (platform.release !== null) return platform.release;
  if (platform.source === null) {
    throw new HostwrightError(
      "HW_PLATFORM_INVALID",
      `${platform.name} has no source and was never published. Nothing was changed.`,
      {
        remedy: "Give the platform a source: { path } with its codebase.",
      },
    );
  }
  const detected = await checkSource(platform.name, platform.source.path, definition);
  return { ...(await surveyTree(platform.source.path)), version: detected.version };
}

export function platformItems(
  platform: PlatformRecord,
  definition: PlatformDefinition,
  release: Release,
): readonly Owned[] {
  const { application, layout } = definition.role;
  const owner = `platform/${platform.id}`;
  return [
    ...(application === undefined ? [] : [{ ...driverFile(application.driver), shared: true, owner } as const]),
    {
      ...tree({
        path: platform.root,
        source: platform.source?.path ?? "",
        at: layout.sourceAt,
        mountPoints: layout.mountPoints,
        digest: release.digest,
        ...(release.bytes === undefined ? {} : { bytes: release.bytes }),
      }),
      owner,
    },
  ];
}

function driverFile({ name, source }: Driver): Declared {
  return file({ path: `${DRIVER_FOLDER}/${name}`, content: source, mode: 0o644 });
}

/** The servers that a platform stands on, and that serve its sites: one, or the members of a cluster. */
export function placementsOf({ inventory }: Planning, { server }: Pick<PlatformRecord, "server">): Members {
  return inventory.members(inventory.server(server));
}

/** A server that joins a cluster, or leaves it, makes a plan for all of its members another one. */
export function clusterSet({ server }: Pick<PlatformRecord, "server">, placements: Members): readonly AssumedSet[] {
  const found = placements.map(({ id }) => id);
  return found.includes(server) ? [] : [{ set: "members of cluster", of: server, found }];
}

/** Its release on each server that it stands on. */
export async function platformSteps(
  context: Planning,
  platform: PlatformRecord,
): Promise<{ readonly steps: readonly EnsureStep[]; readonly release: Release }> {
  const definition = context.inventory.platformDefinition(platform);
  const release = await releaseOf(platform, definition);
  const owner = `platform/${platform.id}`;
  const servers = placementsOf(context, platform);
  const items = platformItems(platform, definition, release);
  return {
    release,
    steps: servers.map((server) => ({
      kind: "ensure",
      title: `publish platform ${platform.name} (${platform.type} ${release.version})`,
      server,
      phase: "prepare",
      items,
      remove: [{ owners: [owner] }],
    })),
  };
}

/** The platform's record with its release, once it was published. */
export function publishedRecord(
  context: Planning,
  platform: PlatformRecord,
  release: Release,
): readonly RecordChange[] {
  if (platform.release !== null) return [];
  const { id, name } = platform;
  const { digest, version } = release;
  return [
    {
      kind: "platform",
      id,
      name,
      value: { ...platform, release: { digest, version } },
      expect: context.inventory.version(id),
      claims: [],
    },
  ];
}
