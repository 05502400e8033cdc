import { dirname } from "node:path";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { folderError } from "../file-error.ts";

// Primary result codes (sqlite.org/rescode.html); the extended ones keep them in the low byte.
const BUSY = 5;
const LOCKED = 6;
const NOMEM = 7;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const PROTOCOL = 15;
const NOTADB = 26;

/** Another connection holds the lock; nothing was changed. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED || code === PROTOCOL;
}

/** The disk has no room; nothing was changed. */
export function isFull(error: unknown): boolean {
  return resultCode(error) === FULL;
}

/** The file itself is not as it must be. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error);
  return code === CORRUPT || code === NOTADB;
}

/** SQLite's failure as a coded error; whatever else is thrown passes. The transaction was rolled back. */
export function storeError(error: unknown, path: string): unknown {
  const code = resultCode(error);
  if (code === null) return error;
  const message = `${path}: ${(error as Error).message}. Nothing was written.`;
  switch (code) {
    case BUSY:
    case LOCKED:
    case PROTOCOL:
      return new HostwrightError("HW_STORE_BUSY", message, { cause: error, retryable: true });
    case FULL:
      return new HostwrightError("HW_DISK_FULL", message, { cause: error, retryable: true });
    case READONLY:
    case CANTOPEN:
      return (
        folderError(dirname(path)) ??
        new HostwrightError("HW_PERMISSION_DENIED", message, {
          cause: error,
          remedy: "Let the user that Hostwright runs as own the state folder and write in it.",
        })
      );
    case IOERR:
      return (
        folderError(dirname(path)) ?? new HostwrightError("HW_STORE_FAILED", message, { cause: error, retryable: true })
      );
    case NOMEM:
      return new HostwrightError("HW_STORE_FAILED", message, { cause: error, retryable: true });
    case CORRUPT:
    case NOTADB:
      return new HostwrightError("HW_STORE_DAMAGED", message, { cause: error });
    default:
      return new HostwrightError("HW_INTERNAL", message, { cause: error });
  }
}

function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return null;
  return error.errcode & 0xff;
}
