import type { Operation } from "../contracts/operation.ts";
import { installPackages } from "./install-packages.ts";
import { probePage } from "./probe-page.ts";
import { copyDatabase } from "./copy-database.ts";
import { emptySite, siteCommand } from "./site-command.ts";

export const coreOperations: readonly Operation[] = [siteCommand, emptySite, probePage, installPackages, copyDatabase];
