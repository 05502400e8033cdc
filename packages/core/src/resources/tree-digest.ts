import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { lstat, open, readdir, readlink, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { sha256 } from "./show.ts";

const AT_ONCE = 16;
const BLOCK = 4096;
const READ_BYTES = 64 * 1024;

interface Entry {
  readonly path: string;
  readonly kind: "directory" | "file" | "link";
}

/** What a source folder is as a release. */
export interface TreeSurvey {
  /** Of names, contents, which files are executable, and links. Owners, times and other modes do not count. */
  readonly digest: string;
  /** Room that it takes on a file system with blocks of 4 KiB. */
  readonly bytes: number;
}

/** The digest of `surveyTree`. */
export async function digestTree(source: string): Promise<string> {
  return (await surveyTree(source)).digest;
}

/**
 * Hashes and measures a source folder as it will stand published, in constant memory but for the names of one folder:
 * Node's own ways of reading a file take room for each, 64 KiB for an empty one.
 * @throws HW_PLATFORM_INVALID for what cannot be published: links that are absolute, broken or leave the folder,
 * sockets, devices, pipes, names with line breaks or not in UTF-8, and what cannot be read.
 */
export async function surveyTree(source: string): Promise<TreeSurvey> {
  const root = await readable(source, ".", realpath(source));
  if (!(await lstat(root)).isDirectory()) throw invalid(source, ".", "is not a folder");
  const hash = createHash("sha256");
  const rooms = Array.from({ length: AT_ONCE }, () => Buffer.allocUnsafe(READ_BYTES));
  let blocks = 1;
  const take = async (part: readonly Entry[]): Promise<void> => {
    const marks = await Promise.all(
      part.map(async (entry, index) => readable(root, entry.path, markOf(root, entry, rooms[index] as Buffer))),
    );
    for (const [index, { path }] of part.entries()) {
      hash.update(`${marks[index]?.mark ?? ""} ${path}\n`);
      blocks += marks[index]?.blocks ?? 0;
    }
  };
  let part: Entry[] = [];
  for await (const entry of entriesOf(root, "")) {
    part.push(entry);
    if (part.length < AT_ONCE) continue;
    await take(part);
    part = [];
  }
  await take(part);
  return { digest: hash.digest("hex"), bytes: BLOCK * blocks };
}

/** The order of their UTF-8 bytes: that of their letters' numbers, of which a surrogate is no part of a small one. */
export function byBytes(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; at += 1) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== other) return rankOf(one) - rankOf(other);
  }
  return a.length - b.length;
}

function rankOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** In the order of their paths, in which a folder's contents need not follow itself: `a`, `a.txt`, `a/b`. */
async function* entriesOf(root: string, folder: string): AsyncGenerator<Entry> {
  const found = await readable(root, folder, readdir(join(root, folder), { withFileTypes: true }));
  const items = found.flatMap((item) => {
    const path = folder === "" ? item.name : `${folder}/${item.name}`;
    return item.isDirectory()
      ? [itemOf(root, path, item), { path: `${path}/`, kind: null }]
      : [itemOf(root, path, item)];
  });
  items.sort((a, b) => byBytes(a.path, b.path));
  for (const { path, kind } of items) {
    if (kind === null) yield* entriesOf(root, path.slice(0, -1));
    else yield { path, kind };
  }
}

function itemOf(root: string, path: string, item: Dirent): Entry {
  if (/[\n\ufffd]/.test(path)) throw invalid(root, path, "has a name with a line break or not in UTF-8");
  if (item.isDirectory()) return { path, kind: "directory" };
  if (item.isFile()) return { path, kind: "file" };
  if (item.isSymbolicLink()) return { path, kind: "link" };
  throw invalid(root, path, "is a socket, a device or a pipe");
}

/** `d -`, `l <sha256 of its target>`, and for files `f` or, executable, `x` with their sha256. */
async function markOf(
  root: string,
  { path, kind }: Entry,
  room: Buffer,
): Promise<{ readonly mark: string; readonly blocks: number }> {
  const full = join(root, path);
  switch (kind) {
    case "directory":
      return { mark: "d -", blocks: 1 };
    case "link":
      return { mark: `l ${sha256(await checkedLink(root, path))}`, blocks: 1 };
    case "file": {
      const { mode, size } = await lstat(full);
      const sum = await hashFile(full, room);
      return { mark: `${(mode & 0o111) === 0 ? "f" : "x"} ${sum}`, blocks: Math.ceil(size / BLOCK) };
    }
  }
}

async function hashFile(path: string, room: Buffer): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead } = await file.read(room, 0, room.length);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(room.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** The link must stay inside however it is looked at: as text, and by where it really ends through other links. */
async function checkedLink(root: string, path: string): Promise<string> {
  const target = await readlink(join(root, path));
  if (isAbsolute(target)) throw invalid(root, path, "is an absolute link");
  if (leaves(relative(root, join(root, dirname(path), target))))
    throw invalid(root, path, "is a link out of the folder");
  const end = await realpath(join(root, path)).catch(() => null);
  if (end === null) throw invalid(root, path, "is a link to nothing");
  if (leaves(relative(root, end))) throw invalid(root, path, "is a link out of the folder");
  return target;
}

function leaves(path: string): boolean {
  return path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path);
}

async function readable<T>(root: string, path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    if (cause instanceof HostwrightError) throw cause;
    throw invalid(root, path, "cannot be read", cause);
  }
}

function invalid(root: string, path: string, what: string, cause?: unknown): HostwrightError {
  const shown = JSON.stringify(path === "" ? "." : path);
  return new HostwrightError("HW_PLATFORM_INVALID", `In the source ${root}, ${shown} ${what}. Nothing was published.`, {
    ...(cause === undefined ? {} : { cause }),
    data: { source: root, path },
  });
}
