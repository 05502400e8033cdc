import type { ResourceType } from "../contracts/resource.ts";
import { directoryType } from "./directory.ts";
import { fileType } from "./file.ts";
import { linkType } from "./link.ts";

/** The resource types that core brings; plugins add theirs. */
// oxlint-disable-next-line typescript/no-explicit-any -- each type has its own spec and state; core passes them through
export const coreResourceTypes: readonly ResourceType<any, any>[] = [directoryType, linkType, fileType];
