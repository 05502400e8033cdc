import type { Operation } from "../contracts/operation.ts";
import { installPackages } from "./install-packages.ts";
import { probePage } from "./probe-page.ts";
import { loginLinkOperation } from "./login-link.ts";
import { formerCopyDatabase } from "./former-copy-database.ts";
import { emptySite, siteCommand } from "./site-command.ts";

export const coreOperations: readonly Operation[] = [
  siteCommand,
  emptySite,
  loginLinkOperation,
  probePage,
  installPackages,
  formerCopyDatabase,
];
