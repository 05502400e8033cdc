import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { HostwrightError } from "../errors/hostwright-error.ts";

interface Process {
  readonly startTime: string;
  readonly ended: boolean;
}

/** Of this process where no /proc shows processes: nobody can see whether it is gone, so that its heartbeat judges it. */
const UNSEEN = `unseen-${randomUUID()}`;

/**
 * Names a process for leases so that no later one is taken for it: `pid:starttime:bootid:namespace`, the last being the
 * number of the pid namespace, since a container sees other pids. Default: this process. Where there is no /proc
 * (macOS, some containers) it is a name of its own. @throws HW_HOST_UNSUPPORTED: there is no such process
 */
export function processHolder(pid: number = process.pid): string {
  if (pid === process.pid && !seesProcesses()) return UNSEEN;
  const found = look(pid);
  if (found === null) {
    throw new HostwrightError(
      "HW_HOST_UNSUPPORTED",
      `/proc/${pid}/stat cannot be read; no lease is held in that process's name.`,
    );
  }
  return `${pid}:${found.startTime}:${bootId()}:${pidNamespace()}`;
}

/**
 * Names a holder of leases of its own in this process: two workers of one process, of threads of it, or of two copies of
 * this module in it, are as different as those of two processes. It is gone with the process.
 */
export function newHolder(): string {
  return `${processHolder()}:${randomBytes(6).toString("hex")}`;
}

/** Holds what was handed over, and after a restore what waits for an operator: gone for everybody. */
export const NOBODY = "nobody";

/**
 * Is the process certainly gone? A process of another pid namespace cannot be seen from here and is not: its heartbeat
 * judges it. What is no holder of this form is not either. One of another boot is gone where only this machine has the
 * store; over a network it may be another machine's.
 */
export function isHolderGone(holder: string, reach: "machine" | "network" = "machine"): boolean {
  if (holder === NOBODY) return true;
  const match = /^(\d+):(\d+):([0-9a-f-]+)(?::(\d+))?(?::[0-9a-f]+)?$/.exec(holder);
  if (match === null || !seesProcesses()) return false;
  const [, pid, startTime, boot, namespace] = match;
  if (boot !== bootId()) return reach === "machine";
  if (namespace !== undefined && namespace !== pidNamespace()) return false;
  const found = look(Number(pid));
  return found === null || found.ended || found.startTime !== startTime;
}

/** Changes with each start of the machine; null where no /proc tells it. */
export function bootId(): string | null {
  return ifThere(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
}

function pidNamespace(): string | null {
  return ifThere(() => readlinkSync("/proc/self/ns/pid").replaceAll(/\D/g, ""));
}

function seesProcesses(): boolean {
  return ifThere(() => look(process.pid)) !== null && bootId() !== null && pidNamespace() !== null;
}

function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "syscall" in error) return null;
    throw error;
  }
}

/** Reads /proc/PID/stat (proc(5)): the command in parentheses may itself hold spaces and parentheses. */
function look(pid: number): Process | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return null;
    throw error;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Field 3 is the state, field 22 the start in ticks after boot. A zombie runs no more, though nobody has reaped it.
  return { ended: "ZXx".includes(fields[0] ?? "X"), startTime: fields[19] ?? "" };
}
