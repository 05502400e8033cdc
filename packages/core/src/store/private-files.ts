import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname, resolve } from "node:path";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { folderError, onFile } from "./file-error.ts";

/** Makes a folder that only this user can enter, or accepts one that is, if it may be written in. @throws HW_STORE_EXPOSED; as `onFile` does */
export function ensurePrivateDirectory(path: string): void {
  const full = resolve(path);
  onFile(full, () => {
    // One by one: where a folder can never be made, as in /proc, Node's own `recursive` tries for ever.
    const missing: string[] = [];
    for (let at = full; statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at)) missing.unshift(at);
    for (const folder of missing) makeDirectory(folder);
  });
  requirePrivate(full, "700");
  const refused = folderError(full);
  if (refused !== null) throw refused;
}

/**
 * Makes a file that only this user can read, complete from the moment it appears; false when there is one already.
 * An existing file is never opened here: closing a second descriptor of an open SQLite file drops this process's locks.
 */
export function createPrivateFile(path: string, content: string): boolean {
  return onFile(path, () => create(path, content));
}

function create(path: string, content: string): boolean {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  const fresh = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeDurably(fresh, content);
    linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(fresh, { force: true });
    syncDirectory(dirname(path));
  }
  return true;
}

/** @throws HW_STORE_EXPOSED when another user owns, reads or changes it. */
export function requirePrivate(path: string, mode: "600" | "700"): void {
  const found = onFile(path, () => statSync(path));
  const owned = found.uid === process.geteuid?.();
  if (owned && (found.mode & 0o077) === 0) return;
  const why = owned
    ? `has mode ${(found.mode & 0o777).toString(8)}, which lets other users in`
    : `belongs to user ${found.uid}`;
  throw new HostwrightError("HW_STORE_EXPOSED", `${path} ${why}; it was not used.`, {
    remedy: `Look whether others used it, then run \`chown ${process.geteuid?.() ?? ""} ${path}\` and \`chmod ${mode} ${path}\`.`,
    data: { file: path },
  });
}

/** Another process may be faster. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  syncDirectory(dirname(path));
}

function writeDurably(path: string, content: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
