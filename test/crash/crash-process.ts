import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { startWaiting } from "../support/worker-pack.ts";
import { PLANNING, type Point } from "./tripwire.ts";
import type { Order } from "./worker.ts";

/** The store's own steps have a dot in their names. */
const PLANNING_READ = new RegExp(`^(\\w+) ${PLANNING} > ([^.]+) \\d+$`);
const LATE_MS = 120_000;
const WORKER = join(import.meta.dirname, "worker.ts");

export interface Ended {
  /** Killed at its point; else it came to the task's end. */
  readonly died: boolean;
  /** All points that it passed, when it was to die at none. */
  readonly passed: readonly Point[];
}

/** Worker processes, one kept waiting: loading the code takes longer than most tasks. */
export class CrashProcesses implements Disposable {
  #waiting: ChildProcess = startWaiting(WORKER);

  /** @throws when it ended by itself without an end of its task */
  async work(order: Order): Promise<Ended> {
    const child = this.#waiting;
    const exited = once(child, "exit") as Promise<[number | null, string | null]>;
    const passed: Point[] = [];
    let [died, finished] = [false, false];
    if (child.stdin === null || child.stdout === null) throw new Error("a worker process has no pipes");
    const late = setTimeout(() => child.kill("SIGKILL"), LATE_MS);
    child.stdin.write(`${JSON.stringify(order)}\n`);
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as Partial<Point> & { died?: string; finished?: boolean };
      if (told.died !== undefined) died = true;
      else if (told.finished === true) finished = true;
      else passed.push(told as Point);
    }
    const [code, signal] = await exited;
    clearTimeout(late);
    this.#waiting = startWaiting(WORKER);
    if (!finished && !(died && signal === "SIGKILL")) {
      throw new Error(`a worker process ended by itself (${signal ?? code}) before the end of its task`);
    }
    return { died: died && !finished, passed };
  }

  [Symbol.dispose](): void {
    this.#waiting.kill("SIGKILL");
  }
}

/**
 * A moment between two steps has two names, after the one and before the next: it is one point. While a task is planned
 * its round trips only read, which the engine enforces: one read of each kind is enough.
 */
export function distinctPoints(passed: readonly Point[]): readonly Point[] {
  const seen = new Set<string>();
  return passed.filter(({ name }, index) => {
    if (name.startsWith("before ") && passed[index - 1]?.name.startsWith("after ") === true) return false;
    const [, moment = "", part = ""] = PLANNING_READ.exec(name) ?? [];
    if (part === "") return true;
    const first = moment === "during" && !seen.has(part);
    seen.add(part);
    return first;
  });
}
