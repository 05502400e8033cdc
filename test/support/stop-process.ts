import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

/** Stops a worker process outside of any transaction. */
export async function stopProcess(child: ChildProcess, stateDir: string): Promise<void> {
  await stopBetween(
    stateDir,
    async () => {
      child.kill("SIGSTOP");
      await delay(5);
    },
    async () => void child.kill("SIGCONT"),
  );
}

/**
 * Stops what works on a state folder, outside of any transaction: within one it would hold SQLite's lock, which nobody can
 * take from it, and everybody would wait until it wakes.
 */
export async function stopBetween(
  stateDir: string,
  stop: () => Promise<void>,
  wake: () => Promise<void>,
): Promise<void> {
  const databases = ["store.db", "events.db"].map((name) => join(stateDir, name));
  for (;;) {
    await stop();
    if (!databases.some(isLocked)) return;
    await wake();
    await delay(2);
  }
}

function isLocked(path: string): boolean {
  using database = new DatabaseSync(path, { timeout: 50 });
  try {
    database.exec("BEGIN IMMEDIATE; ROLLBACK");
    return false;
  } catch {
    return true;
  }
}
