import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { BaseName } from "./base-recipe.ts";
import { ensureBase, inside, installIn } from "./base.ts";
import { cached } from "./cache.ts";
import { mountOverlay, unmountBelow } from "./mounts.ts";
import { progress, run } from "./run.ts";

async function install(folder: string, base: string, packages: readonly string[]): Promise<void> {
  progress(`installing ${packages.join(", ")} over the base, once`);
  const [work, root] = [`${folder}.work`, `${folder}.root`];
  for (const part of [folder, work, root]) await mkdir(part, { recursive: true });
  await mountOverlay(base, folder, work, root);
  try {
    await installIn(root, packages, async () => inside(root, "apt-get clean; rm -rf /var/lib/apt/lists/*"));
  } finally {
    await unmountBelow(root);
    await run("rm", ["-rf", work, root]);
  }
  // What is new here are the links by which packages switch their units on: in the base nothing runs by itself either.
  const units = join(folder, "etc/systemd/system");
  await run("sh", ["-c", 'test ! -d "$1" || find "$1" -type l -delete', "sh", units]);
}

/** What test hosts are laid over, the topmost first: the packages that somebody asks for, if any, over the base. */
export async function ensureLayers(name: BaseName = "debian", packages: readonly string[] = []): Promise<string> {
  const base = await ensureBase(name);
  if (packages.length === 0) return base;
  const wanted = [...new Set(packages)].toSorted();
  const layer = await cached("packages", { base: basename(base), wanted }, async (folder) =>
    install(folder, base, wanted),
  );
  return `${layer}:${base}`;
}
