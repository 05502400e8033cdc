import { spawn } from "node:child_process";
import { extname, join } from "node:path";
import { removeRun } from "./runs.ts";

const mine = new Set<string>();
let installed = false;

/** At exit nothing can be awaited any more: another process does it. */
function leaveToAnother(): void {
  if (mine.size === 0) return;
  const command = [
    ...process.execArgv.filter((flag) => flag.startsWith("--conditions")),
    join(import.meta.dirname, `remove${extname(import.meta.filename)}`),
    ...mine,
  ];
  spawn(process.execPath, command, { detached: true, stdio: "ignore" }).unref();
  mine.clear();
}

async function removeAndEnd(signal: NodeJS.Signals): Promise<void> {
  const runs = [...mine];
  mine.clear();
  await Promise.allSettled(runs.map((id) => removeRun(id)));
  process.off(signal, onSignal);
  // Others may listen to this signal with plans of their own; alone, we end as the signal wants it.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function onSignal(signal: NodeJS.Signals): void {
  void removeAndEnd(signal);
}

/** Has a run removed when this process ends by itself, by an uncaught error, or by a signal. Returns how to take that back. */
export function removeOnExit(id: string): () => void {
  mine.add(id);
  if (!installed) {
    installed = true;
    process.on("exit", leaveToAnother);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  }
  return () => void mine.delete(id);
}
