import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** So many worker processes on one state folder, all of them ready. */
export class WorkerProcesses implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async start(stateDir: string, count: number): Promise<WorkerProcesses> {
    const script = join(import.meta.dirname, "queue-worker.ts");
    const children = Array.from({ length: count }, () =>
      spawn(process.execPath, ["--conditions=@hostwright/source", script, stateDir], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    await Promise.all(
      children.map(async (child) => {
        const ended = once(child, "exit").then(() => Promise.reject(new Error("a worker process ended at its start")));
        await Promise.race([child.stdout === null ? undefined : once(child.stdout, "data"), ended]);
        ended.catch(() => undefined);
      }),
    );
    return new WorkerProcesses(children);
  }

  /** They finish what they have begun. @throws when one of them did not end well. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ends = await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
        const ended = once(child, "exit");
        child.stdin?.end();
        await ended;
        return child.exitCode;
      }),
    );
    if (ends.some((code) => code !== 0)) throw new Error(`worker processes ended with ${ends.join(", ")}`);
  }
}
