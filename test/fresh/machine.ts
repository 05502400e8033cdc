import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { bootstrap, inside } from "../../packages/testing/src/containers/base.ts";
import { cached } from "../../packages/testing/src/containers/cache.ts";
import { removeCgroup } from "../../packages/testing/src/containers/cgroups.ts";
import { identify, isAlive, type ProcessId } from "../../packages/testing/src/containers/processes.ts";
import { ensureRequirements, installPackages } from "../../packages/testing/src/containers/requirements.ts";
import { progress, run, runResult } from "../../packages/testing/src/containers/run.ts";
import { bridgeName, cgroupName, stateFolder, writeRecord } from "../../packages/testing/src/containers/runs.ts";
import { carryAptSettings, carryWaysOut, environmentOfWaysOut } from "./ways-out.ts";

export const RELEASES = ["bookworm", "trixie"] as const;
export type Release = (typeof RELEASES)[number];

/** What the README says that a machine has. */
const PACKAGES = ["git", "nodejs", "npm", "ca-certificates"];

/**
 * All that runs in it ends with the first process of its process namespace, and all that is mounted for it goes with the
 * mount namespace: the kernel clears up after a kill. It shares this machine's network.
 */
const ENTER = `set -e
root=$1
shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec chroot "$root" /usr/bin/env -i "$@"`;
const NAMESPACES = ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child=KILL"];

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const machines = (): string => join(stateFolder(), "fresh");

/** Debian's minimal system with what the README asks for: the only part that is kept for the next time. */
async function system(release: Release): Promise<string> {
  return cached(`fresh-${release}`, { format: 1, release, PACKAGES }, async (root) => {
    progress(`making a Debian ${release} with ${PACKAGES.join(", ")}`);
    await bootstrap(root, release, []);
    await carryAptSettings(root);
    await inside(root, `apt-get -q update && apt-get -q install -y --no-install-recommends ${PACKAGES.join(" ")}`);
  });
}

/** A machine where nothing was installed, as a folder. */
export class FreshMachine implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(release: Release): Promise<FreshMachine> {
    await ensureRequirements();
    if (!existsSync("/usr/bin/git")) await installPackages(["git"]);
    await removeDead();
    const base = await system(release);
    const folder = join(machines(), randomBytes(3).toString("hex"));
    const unowned = join(stateFolder(), `.fresh-${process.pid}`);
    await mkdir(unowned, { recursive: true });
    await writeRecord(join(unowned, "owner.json"), identify(process.pid));
    await mkdir(machines(), { recursive: true });
    await rename(unowned, folder);
    const machine = new FreshMachine(folder);
    await run("cp", ["-a", "--reflink=auto", base, machine.#root]);
    await carryWaysOut(machine.#root);
    return machine;
  }

  get #root(): string {
    return join(this.#folder, "root");
  }

  has(path: string): boolean {
    return existsSync(join(this.#root, path));
  }

  /** Clones what is committed here. */
  async clone(repository: string, path: string): Promise<void> {
    await run("git", ["clone", "--quiet", "--depth=1", `file://${repository}`, join(this.#root, path)]);
  }

  /** Runs a command of the shell in a folder of the machine, with its output here; resolves to its exit code. */
  sh(folder: string, command: string, signal: AbortSignal): Promise<number> {
    const settings = { HOME: "/root", LANG: "C.UTF-8", PATH };
    const env = Object.entries({ ...environmentOfWaysOut(), ...settings }).map(([name, value]) => `${name}=${value}`);
    const argv = [...env, "sh", "-c", 'cd "$1" && eval "$2"', "sh", folder, command];
    // What we start ends with us, whatever way we end.
    const wrapped = ["--pdeathsig", "KILL", "unshare", ...NAMESPACES, "sh", "-c", ENTER, "sh", this.#root, ...argv];
    const child = spawn("setpriv", wrapped, { stdio: ["ignore", "inherit", "inherit"], signal, killSignal: "SIGKILL" });
    child.once("error", () => {});
    return new Promise((resolve) => child.once("close", (code) => resolve(code ?? 128)));
  }

  /** The runs of test hosts that were not cleared up in it. */
  get left(): readonly string[] {
    return runsIn(this.#root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.#folder);
  }
}

function runsIn(root: string): readonly string[] {
  const folder = join(root, "var/lib/hostwright-hosts/runs");
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Its processes and mounts are gone already. Bridges and control groups of hosts that were killed with it are not. */
async function remove(folder: string): Promise<void> {
  const root = join(folder, "root");
  for (const id of runsIn(root)) {
    await runResult("ip", ["link", "delete", bridgeName(id)]);
    const hosts = join(root, "var/lib/hostwright-hosts/runs", id, "hosts");
    const count = existsSync(hosts) ? readdirSync(hosts).length : 0;
    for (let index = 0; index < count; index++) await removeCgroup(cgroupName(id, index));
  }
  // What was killed a moment ago may still close its files.
  await rm(folder, { recursive: true, force: true, maxRetries: 20 });
}

/** What a run that was killed could not remove. */
async function removeDead(): Promise<void> {
  for (const name of existsSync(machines()) ? readdirSync(machines()) : []) {
    const folder = join(machines(), name);
    const record = join(folder, "owner.json");
    const owner = existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as ProcessId) : undefined;
    if (owner === undefined || !isAlive(owner)) await remove(folder);
  }
}
