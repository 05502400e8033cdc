import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Declared, ResourceType } from "../contracts/resource.ts";
import { RANK } from "./rank.ts";
import { referencesOf, resolveText, showText, type Text } from "../model/text.ts";
import { applyPaths, clearPaths } from "./path-apply.ts";
import { identityOfPath, LARGEST_FILE, readPaths, type FileState, type PathState } from "./path-state.ts";
import { declare, Mode, Path, TextSchema, UnixName } from "./schemas.ts";
import { sha256, showAttributes, showContent, showOtherKind } from "./show.ts";

export interface FileSpec {
  /** Absolute, through no link; every folder on the way is root's alone. */
  readonly path: string;
  readonly content: Text;
  readonly owner: string;
  readonly group: string;
  readonly mode: number;
  /** Contents are never shown, not even as the old side of a diff. Always so for text with references. */
  readonly sensitive: boolean;
}

export interface FileInput extends Pick<FileSpec, "path" | "content">, Partial<Omit<FileSpec, "path" | "content">> {
  /** Declared alike by several owners. Default false. */
  readonly shared?: boolean;
}

const HIDDEN = "(contents are not shown)";

function isSensitive(spec: FileSpec): boolean {
  return spec.sensitive || referencesOf(spec.content).length > 0;
}

export const fileType: ResourceType<FileSpec, PathState> = {
  name: "file",
  schema: z.strictObject({
    path: Path,
    content: TextSchema,
    owner: UnixName.default("root"),
    group: UnixName.default("root"),
    mode: Mode.default(0o644),
    sensitive: z.boolean().default(false),
  }),
  rank: RANK.file,
  removal: "delete",
  key: (spec) => spec.path,
  desired(spec, resolve): FileState {
    const bytes = Buffer.from(resolveText(spec.content, resolve));
    if (bytes.length > LARGEST_FILE) {
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `The file ${spec.path} would have ${bytes.length} bytes, more than ${LARGEST_FILE}.`,
      );
    }
    const { owner, group, mode } = spec;
    return {
      kind: "file",
      owner,
      group,
      mode,
      sha256: sha256(bytes),
      size: bytes.length,
      content: bytes.toString("base64"),
    };
  },
  read: async (target, keys, { contents }) => readPaths(target, keys, contents),
  identity: identityOfPath,
  apply: async (target, changes) => applyPaths(target, "file", changes),
  clear: clearPaths,
  showSpec(spec) {
    const hidden = spec.sensitive && referencesOf(spec.content).length === 0;
    return `${showAttributes(spec)}\n${hidden ? HIDDEN : showContent(Buffer.from(showText(spec.content)))}`;
  },
  showState(state, spec) {
    if (state.kind !== "file") return showOtherKind(state);
    if (spec === undefined || isSensitive(spec)) return `${showAttributes(state)}\n${HIDDEN}`;
    const content = state.content === undefined ? null : Buffer.from(state.content, "base64");
    return `${showAttributes(state)}\n${content === null ? `(${state.size} bytes, sha256 ${state.sha256})` : showContent(content)}`;
  },
};

/**
 * A file with these contents, at most 16 MiB. Default: root's, 0644. Text with references is resolved in memory, at the
 * write. @throws HW_INPUT_INVALID
 */
export function file({ shared, ...spec }: FileInput): Declared {
  return declare(fileType, spec, shared);
}
