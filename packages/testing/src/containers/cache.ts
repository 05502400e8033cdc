import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "./lock.ts";
import { unmountBelow } from "./mounts.ts";
import { ensureRequirements } from "./requirements.ts";
import { progress } from "./run.ts";

export function cacheFolder(): string {
  return process.env["HOSTWRIGHT_HOSTS_CACHE"] ?? "/var/cache/hostwright-hosts";
}

export function recipeHash(recipe: unknown): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 12);
}

/**
 * The folder `name-hash` of the cache, built if it isn't there yet. It is built under another name and renamed when it
 * is complete, so a folder that exists is whole; a lock lets parallel runs build it once.
 */
export async function cached(name: string, recipe: unknown, build: (folder: string) => Promise<void>): Promise<string> {
  const cache = cacheFolder();
  const folder = join(cache, `${name}-${recipeHash(recipe)}`);
  if (existsSync(folder)) return folder;
  await ensureRequirements();
  await mkdir(cache, { recursive: true });
  const waiting = (): void => progress(`another run is building ${name}, waiting for it`);
  return withLock(
    join(cache, `.lock-${name}`),
    async () => {
      if (existsSync(folder)) return folder;
      const prefix = `.building-${name}-`;
      // We hold the lock: whatever lies under these names was left by a build that died.
      for (const left of await readdir(cache)) {
        if (!left.startsWith(prefix)) continue;
        await unmountBelow(join(cache, left));
        await rm(join(cache, left), { recursive: true, force: true });
      }
      const temporary = join(cache, `${prefix}${process.pid}`);
      const started = Date.now();
      try {
        await build(temporary);
        await rename(temporary, folder);
      } catch (error) {
        await rm(temporary, { recursive: true, force: true });
        throw error;
      }
      progress(`${name} is ready in ${folder} (${Math.round((Date.now() - started) / 1000)} s)`);
      return folder;
    },
    waiting,
  );
}
