import {
  file,
  RANK,
  reloadedFileType,
  type Declared,
  type FileSpec,
  type PathState,
  type ResourceType,
} from "@hostwright/core/plugin";
import { optionsAt, placesOf } from "./options.ts";

export const ACCESS_FOLDER = "/etc/hostwright/postgres";

/** A file of rules that say who may log in from where: read again by the server, which keeps its sessions meanwhile. */
export const accessType: ResourceType<FileSpec, PathState> = reloadedFileType({
  name: "postgres-access",
  rank: RANK.account,
  removal: "clean-up",
  unit: (target) => placesOf(optionsAt(target)).unit,
});

export function postgresAccess(path: string, lines: readonly string[]): Declared {
  const content = ["# Managed by Hostwright.", ...lines, ""].join("\n");
  return { type: accessType.name, spec: file({ path, content, group: "postgres", mode: 0o640 }).spec };
}
