import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { identify, type ProcessId } from "./processes.ts";
import { delay } from "./run.ts";

const top = "hostwright-hosts";

/** Where cgroup hierarchies are mounted: one on a machine of today, several on one with the older layout. */
function hierarchies(): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const found = mounts.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(" ")[4] ?? "");
  return [...new Set(found)].filter((path) => path.startsWith("/sys/fs/cgroup"));
}

function folders(name: string): string[] {
  return hierarchies().map((hierarchy) => join(hierarchy, top, name));
}

async function prepare(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const parent of [dirname(folder), dirname(dirname(folder))]) {
    // cpuset of the older layout gives its children no processors unless told, and refuses processes until then.
    if (existsSync(join(parent, "cgroup.clone_children"))) {
      await writeFile(join(parent, "cgroup.clone_children"), "1").catch(() => {});
    }
    if (existsSync(join(parent, "cgroup.controllers"))) {
      const controllers = readFileSync(join(parent, "cgroup.controllers"), "utf8").trim().split(" ").filter(Boolean);
      for (const controller of controllers)
        await writeFile(join(parent, "cgroup.subtree_control"), `+${controller}`).catch(() => {});
    }
  }
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    for (const level of [dirname(folder), folder]) {
      if (!existsSync(join(level, file)) || readFileSync(join(level, file), "utf8").trim() !== "") continue;
      await writeFile(join(level, file), readFileSync(join(dirname(level), file), "utf8").trim());
    }
  }
}

/**
 * A control group of its own for each host, in every hierarchy; returns the files a process writes its pid to. Without
 * it all hosts share one group, and the systemd of one host takes the processes of another for its own.
 */
export async function createCgroup(name: string): Promise<string[]> {
  const created = folders(name);
  for (const folder of created) await prepare(folder);
  return created.map((folder) => join(folder, "cgroup.procs"));
}

function subfolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...inner.flatMap((entry) => subfolders(join(folder, entry.name))), folder];
}

/** Every process in a host's group, which holds nothing else. */
export function processesIn(name: string): ProcessId[] {
  const pids = new Set<number>();
  for (const folder of folders(name).flatMap(subfolders)) {
    try {
      for (const line of readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n"))
        if (line !== "" && line !== "0") pids.add(Number(line));
    } catch {
      continue;
    }
  }
  return [...pids].flatMap((pid) => identify(pid) ?? []);
}

export async function removeCgroup(name: string): Promise<void> {
  for (let attempt = 0; attempt < 40; attempt++) {
    // Deepest first; a group stays busy for a moment after its last process has ended.
    for (const folder of folders(name).flatMap(subfolders)) await rmdir(folder).catch(() => {});
    if (folders(name).every((folder) => !existsSync(folder))) break;
    await delay(25);
  }
  for (const folder of folders(name)) await rmdir(dirname(folder)).catch(() => {});
}
