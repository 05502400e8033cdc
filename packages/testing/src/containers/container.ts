import type { ExecResult } from "../hosts/host.ts";
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { createCgroup } from "./cgroups.ts";
import { mountOverlay, mountTmpfs, unmountBelow } from "./mounts.ts";
import { makeOwnDisk, mountOwnDisk, replaceOwnDisk } from "./own-disk.ts";
import { containerInit, identify, isAlive, type ProcessId } from "./processes.ts";
import { delay, run, runResult, type RunOptions } from "./run.ts";
import { bridgeName, cgroupName, type HostRecord, hostFolder, writeRecord } from "./runs.ts";

export interface DiskPlan {
  /** As the lower layers of an overlay are named: the topmost first, with colons between. */
  base: string;
  address: string;
  /** Lines of /etc/hosts for the other hosts of the run. */
  neighbours: string;
  authorizedKey: string;
  hostPrivateKey: string;
  services: readonly string[];
  smallDisks: Readonly<Record<string, string>>;
  ownDisk: string | undefined;
}

/** What a host's root is laid over: the base, and where its own writes go. */
async function mountRoot(folder: string, base: string, writes: string): Promise<void> {
  await mountOverlay(base, join(writes, "up"), join(writes, "work"), join(folder, "root"));
}

/** After a loss of power: what was synced, mounted anew. */
export async function remountDisk(runId: string, name: string, base: string): Promise<void> {
  const folder = hostFolder(runId, name);
  await unmountBelow(folder);
  await replaceOwnDisk(folder);
  await mountOwnDisk(folder);
  await mountRoot(folder, base, join(folder, "disk"));
}

async function write(root: string, path: string, content: string, mode = 0o644): Promise<void> {
  await writeFile(join(root, path), content, { mode });
}

/** Lays a fresh disk over the base and gives it what tells this host from the others. */
export async function makeDisk(runId: string, host: HostRecord, plan: DiskPlan): Promise<string> {
  const folder = hostFolder(runId, host.name);
  const root = join(folder, "root");
  await mkdir(root, { recursive: true });
  const writes = plan.ownDisk === undefined ? folder : await makeOwnDisk(folder, plan.ownDisk);
  for (const part of ["up", "work"]) await mkdir(join(writes, part), { recursive: true });
  await writeRecord(join(folder, "host.json"), host);
  await mountRoot(folder, plan.base, writes);
  for (const [path, size] of Object.entries(plan.smallDisks)) {
    await mkdir(join(root, path), { recursive: true });
    await mountTmpfs(join(root, path), size);
  }
  await write(root, "/etc/hostname", `${host.name}\n`);
  await write(root, "/etc/hosts", `127.0.0.1 localhost\n::1 localhost\n${plan.neighbours}`);
  await write(root, "/etc/test-host-network", `ADDRESS=${plan.address}\n`);
  // Without an id of its own a host takes this for its first boot and enables every service by its preset.
  await write(root, "/etc/machine-id", `${crypto.randomUUID().replaceAll("-", "")}\n`);
  await write(root, "/etc/ssh/ssh_host_ed25519_key", plan.hostPrivateKey, 0o600);
  await mkdir(join(root, "root/.ssh"), { recursive: true, mode: 0o700 });
  await write(root, "/root/.ssh/authorized_keys", plan.authorizedKey, 0o600);
  if (plan.services.length > 0) await run("systemctl", ["--quiet", `--root=${root}`, "enable", ...plan.services]);
  return root;
}

/**
 * systemd-nspawn ends with 133 when the host wants to be booted again. The keeper itself stays out of the host's control
 * group: a group with a process in it could not hand its controllers down.
 */
const keeperScript = `export GROUPS_OF_HOST
while :; do
  sh -c 'for group in $GROUPS_OF_HOST; do echo $$ > "$group" || exit 1; done; exec "$@"' sh "$@"
  code=$?
  [ $code -eq 133 ] || exit $code
done`;

/** Boots a host from its disk and returns the record of its processes; it is recorded on disk before anything can fail. */
export async function boot(runId: string, host: HostRecord, root: string): Promise<HostRecord> {
  const folder = hostFolder(runId, host.name);
  const console = join(folder, "console.log");
  const groups = await createCgroup(cgroupName(runId, host.index));
  const nspawn = [
    "systemd-nspawn",
    "--quiet",
    "--boot",
    "--register=no",
    "--keep-unit",
    "--settings=no",
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    `--directory=${root}`,
    `--machine=hw${runId}-${host.index}`,
    `--hostname=${host.name}`,
    `--network-bridge=${bridgeName(runId)}`,
  ];
  const output = openSync(console, "a");
  const child = spawn("sh", ["-c", keeperScript, "sh", ...nspawn], {
    detached: true,
    stdio: ["ignore", output, output],
    // Inside, the layout of control groups is then that of a Debian 13 of today, whatever this machine has.
    env: { ...process.env, GROUPS_OF_HOST: groups.join(" "), SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
  });
  closeSync(output);
  child.unref();
  const keeper = child.pid === undefined ? undefined : identify(child.pid);
  if (keeper === undefined) throw new Error(`systemd-nspawn did not start for the host ${host.name}`);
  const record: HostRecord = { name: host.name, index: host.index, keeper };
  await writeRecord(join(folder, "host.json"), record);
  return findInit(runId, record);
}

/** Waits for the host's init, the first or (after a reboot) the next one, and records it. */
export async function findInit(runId: string, record: HostRecord): Promise<HostRecord> {
  const { name, index, keeper } = record;
  const folder = hostFolder(runId, name);
  if (keeper === undefined) throw new Error(`the host ${name} does not run`);
  for (const until = Date.now() + 10_000; ; await delay(5)) {
    const init = containerInit(keeper);
    if (init !== undefined) {
      const found: HostRecord = { name, index, keeper, init };
      await writeRecord(join(folder, "host.json"), found);
      return found;
    }
    if (!isAlive(keeper) || Date.now() > until)
      throw new Error(`the host ${name} did not boot:\n${lastLines(join(folder, "console.log"))}`);
  }
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trim().split("\n").slice(-20).join("\n");
}

function answersSsh(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
    socket.once("data", (data) => end(data.toString().startsWith("SSH-")));
  });
}

/** Waits until a host answers over SSH. */
export async function waitForSsh(
  name: string,
  address: string,
  port: number,
  timeoutMs: number,
  failed: () => string | undefined,
): Promise<void> {
  for (const until = Date.now() + timeoutMs; !(await answersSsh(address, port)); await delay(20)) {
    const reason =
      failed() ?? (Date.now() > until ? `no answer on ${address}:${port} within ${timeoutMs / 1000} s` : undefined);
    if (reason !== undefined) throw new Error(`the host ${name} is not reachable: ${reason}`);
  }
}

/** Waits until a booted host answers over SSH, has started what it starts at boot, and runs the services asked for. */
export async function waitUntilUp(
  runId: string,
  record: HostRecord,
  address: string,
  services: readonly string[],
): Promise<void> {
  const log = join(hostFolder(runId, record.name), "console.log");
  const { init } = record;
  const gone = (): string | undefined =>
    init !== undefined && isAlive(init) ? undefined : `it ended while booting\n${lastLines(log)}`;
  await waitForSsh(record.name, address, 22, 60_000, gone);
  if (init === undefined) return;
  // sshd still answers for a moment while the host goes down: that is not up.
  for (const until = Date.now() + 60_000; ; await delay(50)) {
    const { stdout } = await execIn(init, ["systemctl", "is-system-running", "--wait"], { timeoutMs: 60_000 });
    if (["running", "degraded"].includes(stdout.trim())) break;
    const reason = gone() ?? (Date.now() > until ? `its state is "${stdout.trim()}" for 60 s` : undefined);
    if (reason !== undefined) throw new Error(`the host ${record.name} did not come up: ${reason}`);
  }
  for (const service of services) {
    const state = await execIn(init, ["systemctl", "is-active", service]);
    if (state.code === 0) continue;
    const status = await execIn(init, ["systemctl", "status", "--no-pager", "--lines=20", service]);
    throw new Error(`${service} does not run on the host ${record.name}:\n${status.stdout}${status.stderr}`);
  }
}

/** Runs a command inside a host as root, past SSH: for preparing and judging, not for the code under test. */
export function execIn(init: ProcessId, argv: readonly string[], options: RunOptions = {}): Promise<ExecResult> {
  const { env, ...rest } = options;
  const inner = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LANG: "C.UTF-8",
    ...env,
  };
  const assignments = Object.entries(inner).map(([name, value]) => `${name}=${value}`);
  const enter = [
    "--target",
    String(init.pid),
    "--mount",
    "--uts",
    "--ipc",
    "--net",
    "--pid",
    "--cgroup",
    "--root",
    "--wd",
    "--no-fork",
  ];
  // The shell stays outside the process namespace: a shutdown stops all processes for a moment, and an nsenter that
  // forks by itself would stop with its child for good, leaving it unreaped and the host's init unable to end.
  return runResult(
    "nsenter",
    [...enter, "--", "/bin/sh", "-c", '"$@"; exit $?', "sh", "/usr/bin/env", "-i", ...assignments, ...argv],
    rest,
  );
}
