import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Stops a worker process, outside of any transaction: within one it would hold SQLite's lock, which nobody can take from
 * it, and everybody would wait until it wakes.
 */
export async function stopProcess(child: ChildProcess, stateDir: string): Promise<void> {
  const databases = ["store.db", "events.db"].map((name) => join(stateDir, name));
  for (;;) {
    child.kill("SIGSTOP");
    await delay(5);
    if (!databases.some(isLocked)) return;
    child.kill("SIGCONT");
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
