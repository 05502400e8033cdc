import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { processesIn, removeCgroup } from "./cgroups.ts";
import { withLock } from "./lock.ts";
import { unmountBelow } from "./mounts.ts";
import { childrenOf, containerInit, identify, isAlive, type ProcessId, signal, waitForEnd } from "./processes.ts";
import { ensureRequirements } from "./requirements.ts";
import { run, runResult } from "./run.ts";

/** One set of hosts: who owns it, and its part of the network. Kept in a file, so that any later run can clean up after it. */
export interface Run {
  id: string;
  owner: ProcessId | "manual";
  network: number;
}

/** The processes of one host, kept in a file beside its disk. */
export interface HostRecord {
  name: string;
  index: number;
  /** Runs systemd-nspawn, again after each reboot of the host. */
  keeper?: ProcessId;
  init?: ProcessId;
}

export function stateFolder(): string {
  return process.env["HOSTWRIGHT_HOSTS_STATE"] ?? "/var/lib/hostwright-hosts";
}

export const runFolder = (id: string): string => join(stateFolder(), "runs", id);
export const hostFolder = (id: string, name: string): string => join(runFolder(id), "hosts", name);
export const bridgeName = (id: string): string => `hwb-${id}`;
export const cgroupName = (id: string, index: number): string => `${id}-${index}`;
const locked = <T>(work: () => Promise<T>): Promise<T> => withLock(join(stateFolder(), ".lock"), work);

export async function writeRecord(file: string, record: unknown): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(record));
  await rename(`${file}.new`, file);
}

function readRecord(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

const names = async (folder: string): Promise<string[]> =>
  existsSync(folder) ? (await readdir(folder)).toSorted() : [];

export async function listRuns(): Promise<Run[]> {
  const ids = await names(join(stateFolder(), "runs"));
  return ids.flatMap((id) => (readRecord(join(runFolder(id), "run.json")) as Run | undefined) ?? []);
}

export async function listHosts(id: string): Promise<HostRecord[]> {
  const hosts = await names(join(runFolder(id), "hosts"));
  return hosts.flatMap((name) => (readRecord(join(hostFolder(id, name), "host.json")) as HostRecord | undefined) ?? []);
}

async function networksInUse(): Promise<Set<number>> {
  const used = new Set((await listRuns()).map((other) => other.network));
  // Other programs, or runs with another state folder, may have taken one too.
  for (const [, third] of (await run("ip", ["-4", "-o", "address"])).matchAll(/ inet 10\.213\.(\d+)\./g))
    used.add(Number(third));
  return used;
}

/** Takes a free network and makes its bridge. Runs whose owner has died are cleaned away first. */
export async function createRun(owner: "manual" | "this process"): Promise<Run> {
  await ensureRequirements();
  await reapRuns();
  return locked(async () => {
    const used = await networksInUse();
    let network = 1;
    while (used.has(network)) network++;
    if (network > 254) throw new Error("all 254 networks for test hosts are taken: end the runs that nobody needs");
    const self = identify(process.pid);
    if (self === undefined) throw new Error("/proc is not readable: test hosts need it to tell processes apart");
    const made: Run = { id: randomBytes(3).toString("hex"), owner: owner === "manual" ? "manual" : self, network };
    await mkdir(join(runFolder(made.id), "hosts"), { recursive: true });
    await writeRecord(join(runFolder(made.id), "run.json"), made);
    const bridge = bridgeName(made.id);
    await run("ip", ["link", "add", bridge, "type", "bridge"]);
    await run("ip", ["address", "add", `10.213.${network}.1/24`, "dev", bridge]);
    await run("ip", ["link", "set", bridge, "up"]);
    return made;
  });
}

/** Ends whatever still runs of a host: who would restart it, its init (the kernel then ends all within), what its group holds. */
export async function killHost(runId: string, host: HostRecord): Promise<void> {
  const { keeper } = host;
  const alive = keeper !== undefined && isAlive(keeper);
  const runners = alive ? childrenOf(keeper.pid).flatMap((pid) => identify(pid) ?? []) : [];
  const inits = [host.init, alive ? containerInit(keeper) : undefined].filter((init) => init !== undefined);
  if (keeper !== undefined) signal(keeper, "SIGKILL");
  for (const init of inits) signal(init, "SIGKILL");
  for (const init of inits) await waitForEnd(init, 10_000);
  for (const runner of runners) if (!(await waitForEnd(runner, 2000))) signal(runner, "SIGKILL");
  const group = cgroupName(runId, host.index);
  for (const until = Date.now() + 10_000; Date.now() < until;) {
    const left = processesIn(group);
    if (left.length === 0) break;
    for (const process of left) signal(process, "SIGKILL");
    for (const process of left) await waitForEnd(process, 1000);
  }
  await removeCgroup(group);
}

/** Stops a run's hosts and removes every trace of it. */
export async function removeRun(id: string): Promise<void> {
  // Two cleaners at once (a later run, and the owner's own exit) would trip over each other.
  await withLock(join(stateFolder(), `.lock-${id}`), async () => {
    const folder = runFolder(id);
    if (!existsSync(folder)) return;
    await ensureRequirements();
    const hosts = await listHosts(id);
    await Promise.all(hosts.map((host) => killHost(id, host)));
    await unmountBelow(folder);
    await runResult("ip", ["link", "delete", bridgeName(id)]);
    // The record goes last: an interrupted removal is taken up by the next run.
    await rm(join(folder, "hosts"), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  });
  await rm(join(stateFolder(), `.lock-${id}`), { force: true });
}

/** Removes the runs whose owner is gone. */
export async function reapRuns(): Promise<string[]> {
  const dead = (await listRuns()).filter((one) => one.owner !== "manual" && !isAlive(one.owner));
  for (const one of dead) await removeRun(one.id);
  return dead.map((one) => one.id);
}
