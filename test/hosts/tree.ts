import { copyFile, lstat, mkdir, readdir, readlink, stat } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";

/** Where a path of an unpacked system really leads, with links read as that system would: "/usr/x" is below `root`. */
async function resolveIn(root: string, path: string, depth = 0): Promise<string> {
  if (depth > 40) throw new Error(`too many links at ${path}`);
  let done = "/";
  const parts = normalize(path).split("/").filter(Boolean);
  for (const [index, part] of parts.entries()) {
    const next = join(done, part);
    const entry = await lstat(join(root, next)).catch(() => undefined);
    if (entry === undefined) throw new Error(`${path} leads to ${next}, which is in none of the packages`);
    if (entry.isSymbolicLink()) {
      const target = await readlink(join(root, next));
      const rest = parts.slice(index + 1).join("/");
      return resolveIn(root, join(target.startsWith("/") ? target : join(done, target), rest), depth + 1);
    }
    done = next;
  }
  return done;
}

/** Copies a tree out of an unpacked system with every link replaced by what it leads to. */
export async function copyResolved(
  root: string,
  from: string,
  to: string,
  skip: (path: string) => boolean,
): Promise<void> {
  if (skip(from)) return;
  const source = join(root, await resolveIn(root, from));
  if ((await stat(source)).isDirectory()) {
    await mkdir(to, { recursive: true });
    for (const name of await readdir(source)) await copyResolved(root, join(from, name), join(to, name), skip);
  } else {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(source, to);
  }
}

/** Every link in a tree. */
export async function linksIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name));
}
