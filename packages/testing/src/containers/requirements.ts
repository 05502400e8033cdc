import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { progress, run, runResult } from "./run.ts";

export type Requirements = { ok: true } | { ok: false; message: string };

/** Debian packages and a file each that tells whether it is there. */
const packages: Readonly<Record<string, string>> = {
  debootstrap: "/usr/sbin/debootstrap",
  "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
  "systemd-container": "/usr/bin/systemd-nspawn",
  iproute2: "/usr/bin/ip",
  "openssh-client": "/usr/bin/ssh-keygen",
  "util-linux": "/usr/bin/nsenter",
  "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
};

function hasMountCapability(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const sysAdmin = 21n;
  const netAdmin = 12n;
  const bits = BigInt(`0x${effective}`);
  return ((bits >> sysAdmin) & 1n) === 1n && ((bits >> netAdmin) & 1n) === 1n;
}

/** The Debian packages that a machine lacks, by the files that it has. */
export function packagesMissing(has: (file: string) => boolean = existsSync): string[] {
  const names = Object.entries(packages)
    .filter(([, file]) => !has(file))
    .map(([name]) => name);
  // Where /usr/bin/ip is absent, iproute2 may still be there with ip in /usr/sbin or /sbin.
  return names.filter((name) => name !== "iproute2" || !["/usr/sbin/ip", "/sbin/ip", "/bin/ip"].some(has));
}

/** Whether real test hosts can run on this machine; the message lists everything that is missing. */
export function checkHostRequirements(): Requirements {
  const missing: string[] = [];
  if (process.platform !== "linux") {
    missing.push(`Linux (this is ${process.platform})`);
  } else {
    if (process.getuid?.() !== 0) missing.push("root (hosts are mounted, bridged and started as containers)");
    else if (!hasMountCapability())
      missing.push(
        "the right to mount and to make networks (CAP_SYS_ADMIN, CAP_NET_ADMIN; a container needs --privileged)",
      );
    for (const kind of ["mnt", "pid", "net", "uts", "ipc"]) {
      if (!existsSync(join("/proc/self/ns", kind))) missing.push(`Linux ${kind} namespaces`);
    }
    if (!existsSync("/sys/fs/cgroup")) missing.push("cgroups mounted at /sys/fs/cgroup");
    if (!existsSync("/usr/bin/apt-get") && packagesMissing().length > 0)
      missing.push(`Debian's apt-get, to install ${packagesMissing().join(", ")}`);
  }
  if (missing.length === 0) return { ok: true };
  return {
    ok: false,
    message: `Real test hosts cannot run here. Missing: ${missing.join("; ")}.\nRun the host tests as root on Debian 12 or 13, or name disposable hosts in HOSTWRIGHT_TEST_HOSTS.`,
  };
}

let ensured: Promise<void> | undefined;

/**
 * Whatever builds, fetches, starts or removes anything comes by here first: `cached`, `createRun` and `removeRun` are the
 * only ways to a tool that this machine may not have. Missing packages are installed once.
 * @throws Error, naming all that is missing, where test hosts cannot run.
 */
export function ensureRequirements(): Promise<void> {
  ensured ??= installRequirements().catch((error: unknown) => {
    ensured = undefined;
    throw error;
  });
  return ensured;
}

async function installRequirements(): Promise<void> {
  const requirements = checkHostRequirements();
  if (!requirements.ok) throw new Error(requirements.message);
  await installPackages(packagesMissing());
  const still = packagesMissing();
  if (still.length > 0)
    throw new Error(`apt-get installed without an error, but ${still.join(", ")} is still missing: install it by hand`);
}

/** Installs packages of Debian on this machine. */
export async function installPackages(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  progress(`installing ${names.join(", ")}`);
  const install = ["install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", ...names];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // Package lists may be absent or out of date: only then they are fetched.
  if ((await runResult("apt-get", install, { env })).code === 0) return;
  await run("apt-get", ["update", "-q"], { env });
  await run("apt-get", install, { env });
}
