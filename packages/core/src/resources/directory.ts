import * as z from "zod";
import type { Declared, ResourceType } from "../contracts/resource.ts";
import { RANK } from "./rank.ts";
import { applyPaths, clearPaths } from "./path-apply.ts";
import { identityOfPath, readPaths, type PathState } from "./path-state.ts";
import { declare, Mode, Path, UnixName } from "./schemas.ts";
import { showAttributes, showOtherKind } from "./show.ts";

export interface DirectorySpec {
  /** Absolute, through no link; every folder above it is root's alone. Those are not made: declare them. */
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  readonly mode: number;
}

export interface DirectoryInput extends Pick<DirectorySpec, "path">, Partial<Omit<DirectorySpec, "path">> {
  /** Declared alike by several owners. Default false. */
  readonly shared?: boolean;
}

/**
 * The directory itself, never what is in it: owner and mode are set on it alone, and it goes by rmdir. One that is not
 * empty stays, and its removal fails with HW_RESOURCE_CHANGED naming it.
 */
export const directoryType: ResourceType<DirectorySpec, PathState> = {
  name: "directory",
  schema: z.strictObject({
    path: Path,
    owner: UnixName.default("root"),
    group: UnixName.default("root"),
    mode: Mode.default(0o755),
  }),
  rank: RANK.directory,
  removal: "delete",
  key: (spec) => spec.path,
  desired: ({ owner, group, mode }) => ({ kind: "directory", owner, group, mode }),
  read: async (target, keys) => readPaths(target, keys, false),
  identity: identityOfPath,
  apply: async (target, changes) => applyPaths(target, "directory", changes),
  clear: clearPaths,
  showSpec: (spec) => showAttributes(spec),
  showState: (state) => (state.kind === "directory" ? showAttributes(state) : showOtherKind(state)),
};

/** A directory, without what is in it. Default: root's, 0755. @throws HW_INPUT_INVALID */
export function directory({ shared, ...spec }: DirectoryInput): Declared {
  return declare(directoryType, spec, shared);
}
