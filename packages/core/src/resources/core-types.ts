import type { ResourceType } from "../contracts/resource.ts";
import { directoryType } from "./directory.ts";
import { fileType } from "./file.ts";
import { generationsType } from "./generations.ts";
import { linkType } from "./link.ts";
import { treeType } from "./tree.ts";
import { unitType } from "./unit.ts";
import { unixUserType } from "./unix-user.ts";

/** The resource types that core brings; plugins add theirs. */
// oxlint-disable-next-line typescript/no-explicit-any -- each type has its own spec and state; core passes them through
export const coreResourceTypes: readonly ResourceType<any, any>[] = [
  unixUserType,
  treeType,
  directoryType,
  generationsType,
  linkType,
  fileType,
  unitType,
];
