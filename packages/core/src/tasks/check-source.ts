import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { Detected } from "../contracts/platform.ts";
import type { PlatformDefinition } from "../contracts/plugin.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { folderReader } from "./source-reader.ts";

/** What a platform's source folder holds. @throws HW_PLATFORM_INVALID naming the platform, the folder and what it is */
export async function checkSource(platform: string, path: string, definition: PlatformDefinition): Promise<Detected> {
  const refuse = (why: string, remedy: string, cause?: unknown): HostwrightError =>
    new HostwrightError(
      "HW_PLATFORM_INVALID",
      `platform ${platform}: its source ${path} ${why}. Nothing was changed.`,
      {
        remedy,
        cause,
        data: { platform, path, type: definition.type },
      },
    );
  const found = await stat(path).catch((cause: unknown) => {
    const missing = ["ENOENT", "ENOTDIR"].includes(String((cause as NodeJS.ErrnoException).code));
    throw missing
      ? refuse("does not exist", "Give a folder of the machine that Hostwright runs on, not of the server.", cause)
      : refuse("cannot be read", "Let the user that Hostwright runs as read it.", cause);
  });
  if (!found.isDirectory()) throw refuse("is no folder", "Give the folder that holds the codebase, unpacked.");
  await access(path, constants.R_OK | constants.X_OK).catch((cause: unknown) => {
    throw refuse("cannot be read", "Let the user that Hostwright runs as read it.", cause);
  });
  const detected = await definition.role.detect(folderReader(path));
  if (detected !== null) return detected;
  throw refuse(`is not a ${definition.type} codebase`, `Give the folder in which ${definition.type} itself lies.`);
}
