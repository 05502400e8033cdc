import { lstat, open } from "node:fs/promises";
import { join, normalize } from "node:path";
import type { SourceReader } from "../contracts/platform.ts";

const TEXT_BYTES = 1024 * 1024;

/** Looks into a codebase on this machine; never outside of its folder. */
export function folderReader(folder: string): SourceReader {
  const inside = (path: string): string => join(folder, normalize(`/${path}`));
  return {
    async exists(path) {
      return lstat(inside(path)).then(
        () => true,
        () => false,
      );
    },
    async text(path) {
      try {
        await using handle = await open(inside(path));
        const buffer = Buffer.alloc(TEXT_BYTES);
        const { bytesRead } = await handle.read(buffer, 0, TEXT_BYTES, 0);
        return buffer.toString("utf8", 0, bytesRead);
      } catch {
        return null;
      }
    },
  };
}
