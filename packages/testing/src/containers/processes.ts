import { readFileSync } from "node:fs";
import { delay } from "./run.ts";

/** A process for certain: a pid alone is given to others later, and the start time begins anew with every boot. */
export interface ProcessId {
  pid: number;
  start: string;
  boot: string;
}

const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything: count from behind it. Field 3 is the state, field 22 the start time.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function identify(pid: number): ProcessId | undefined {
  const start = startTime(pid);
  return start === undefined ? undefined : { pid, start, boot: bootId() };
}

export function isAlive(process: ProcessId): boolean {
  return startTime(process.pid) === process.start && bootId() === process.boot;
}

/** Signals exactly this process; false if it is gone already. */
export function signal(target: ProcessId, name: NodeJS.Signals | number): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, name);
    return true;
  } catch {
    return false;
  }
}

export async function waitForEnd(target: ProcessId, timeoutMs: number): Promise<boolean> {
  const until = Date.now() + timeoutMs;
  for (let pause = 2; isAlive(target); pause = Math.min(pause * 2, 50)) {
    if (Date.now() > until) return false;
    await delay(pause);
  }
  return true;
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The init of the container that a systemd-nspawn process runs: its descendant that is process 1 of its own namespace. */
export function containerInit(nspawn: ProcessId): ProcessId | undefined {
  if (!isAlive(nspawn)) return undefined;
  const queue = childrenOf(nspawn.pid);
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const inner = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/) ?? [];
      if (inner.length > 1 && inner.at(-1) === "1") return identify(pid);
    } catch {
      continue;
    }
    queue.push(...childrenOf(pid));
  }
  return undefined;
}
