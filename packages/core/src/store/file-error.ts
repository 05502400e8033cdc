import { accessSync, constants } from "node:fs";
import type { ErrorCode } from "../errors/codes.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";

const OWN = "Let the user that Hostwright runs as own the state folder and write in it.";
const PATH = "Give the path of a folder on a local disk that this user may make or write in.";

interface Meaning {
  readonly code: ErrorCode;
  readonly remedy?: string;
  readonly retryable?: boolean;
}

/** What the machine that Hostwright runs on refused, by the system's code. */
function meaningOf(code: string): Meaning {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return { code: "HW_PERMISSION_DENIED", remedy: OWN };
    case "EROFS":
      return { code: "HW_PERMISSION_DENIED", remedy: "Mount its file system writable, or move the state folder." };
    case "ENOSPC":
    case "EDQUOT":
      return { code: "HW_DISK_FULL", retryable: true };
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
    case "ELOOP":
    case "ENAMETOOLONG":
      return { code: "HW_INPUT_INVALID", remedy: PATH };
    default:
      return { code: "HW_STORE_FAILED", retryable: true };
  }
}

/** Runs what reads or writes a file of the state; what the system refuses becomes a coded error that names the path. */
export function onFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(path, error);
  }
}

/** What the system says of a folder that is to be written in, if that is the reason; SQLite keeps it for itself. */
export function folderError(path: string): HostwrightError | null {
  try {
    accessSync(path, constants.W_OK);
    return null;
  } catch (error) {
    return fileError(path, error) as HostwrightError;
  }
}

/** A file system's failure as a coded error; whatever else was thrown passes. */
function fileError(path: string, error: unknown): unknown {
  const said = error instanceof Error && "syscall" in error ? (error as NodeJS.ErrnoException) : null;
  if (said?.code === undefined) return error;
  const { code, ...meaning } = meaningOf(said.code);
  return new HostwrightError(code, `${path}: ${said.message}. No server was touched.`, {
    cause: error,
    ...meaning,
    data: { file: path, system: said.code },
  });
}
