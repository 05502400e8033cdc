import * as z from "zod";
import type { Declared, ResourceType } from "../contracts/resource.ts";
import { RANK } from "./rank.ts";
import { applyPaths, clearPaths } from "./path-apply.ts";
import { identityOfPath, readPaths, type PathState } from "./path-state.ts";
import { declare, isPlainText, Path } from "./schemas.ts";
import { printable, showOtherKind } from "./show.ts";

export interface LinkSpec {
  /** Absolute, through no link; every folder on the way is root's alone. */
  readonly path: string;
  /** What it points to, absolute or relative; it need not exist. */
  readonly target: string;
}

export interface LinkInput extends LinkSpec {
  /** Declared alike by several owners. Default false. */
  readonly shared?: boolean;
}

/** A symbolic link, root's own, replaced by one rename. */
export const linkType: ResourceType<LinkSpec, PathState> = {
  name: "link",
  schema: z.strictObject({
    path: Path,
    target: z.string().min(1).max(3000).refine(isPlainText, "a path without control characters"),
  }),
  rank: RANK.link,
  removal: "delete",
  key: (spec) => spec.path,
  desired: ({ target }) => ({ kind: "link", target }),
  read: async (target, keys) => readPaths(target, keys, false),
  identity: identityOfPath,
  apply: async (target, changes) => applyPaths(target, "link", changes),
  clear: clearPaths,
  showSpec: (spec) => `-> ${printable(spec.target)}`,
  showState: (state) => (state.kind === "link" ? `-> ${printable(state.target)}` : showOtherKind(state)),
};

/** A symbolic link of root's. @throws HW_INPUT_INVALID */
export function link({ shared, ...spec }: LinkInput): Declared {
  return declare(linkType, spec, shared);
}
