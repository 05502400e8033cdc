import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { stopProcess } from "../support/stop-process.ts";
import type { Order } from "./worker.ts";

interface Told {
  readonly type: string;
  readonly task?: string | null;
  readonly action?: number;
}

/** A worker in a process of its own, which tells its events and can be stopped, woken and ended. */
export class WorkerProcess implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly #stateDir: string;

  private constructor(child: ChildProcess, { stateDir }: Order) {
    this.#child = child;
    this.#stateDir = stateDir;
    if (child.stdout === null) throw new Error("a worker process has no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.told.push(JSON.parse(line) as Told);
      for (const look of this.#waiting) look();
    });
  }

  static async start(order: Order): Promise<WorkerProcess> {
    const script = join(import.meta.dirname, "worker.ts");
    const child = spawn(process.execPath, ["--conditions=@hostwright/source", script, JSON.stringify(order)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const worker = new WorkerProcess(child, order);
    await worker.heard(({ type }) => type === "ready");
    return worker;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async heard(wanted: (told: Told) => boolean): Promise<Told> {
    const { promise, resolve, reject } = Promise.withResolvers<Told>();
    const look = (): void => {
      const found = this.told.find(wanted);
      if (found !== undefined) resolve(found);
    };
    const gone = (): void => reject(new Error("a worker process ended before it told what was waited for"));
    this.#waiting.add(look);
    this.#child.once("exit", gone);
    look();
    try {
      return await promise;
    } finally {
      this.#waiting.delete(look);
      this.#child.off("exit", gone);
    }
  }

  async stopAt(task: string, action: number): Promise<void> {
    await this.heard((told) => told.type === "action:started" && told.task === task && told.action === action);
    await stopProcess(this.#child, this.#stateDir);
  }

  wake(): void {
    this.#child.kill("SIGCONT");
  }

  /** Lets it come to the end of what it works, and go. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.stdin?.write("end\n");
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}
