import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Of this process and its workers: hundreds of them load the same code. */
const CODE = mkdtempSync(join(tmpdir(), "hostwright-worker-code-"));
process.once("exit", () => rmSync(CODE, { recursive: true, force: true }));

/** A process that has loaded its code and waits for its order on standard input; see `readOrder`. */
export function startWaiting(script: string): ChildProcess {
  return spawn(process.execPath, ["--conditions=@hostwright/source", script], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: CODE },
  });
}

/** One of a pack. */
export interface PackWorker {
  readonly pid: number;
  readonly child: ChildProcess;
}

/**
 * Worker processes on one state folder that can be killed, stopped and woken. One more has its code loaded, to take a
 * lost one's place at once: loading takes longer than most tasks.
 */
export class WorkerPack implements AsyncDisposable {
  readonly #script: string;
  readonly #order: string;
  readonly #workers = new Set<PackWorker>();
  #spare: ChildProcess;

  private constructor(script: string, order: object) {
    this.#script = script;
    this.#order = `${JSON.stringify(order)}\n`;
    this.#spare = startWaiting(script);
  }

  /** `order` is the first line that each of them is told. */
  static async start(script: string, order: object, count: number): Promise<WorkerPack> {
    const pack = new WorkerPack(script, order);
    await Promise.all(Array.from({ length: count }, async () => pack.add()));
    return pack;
  }

  get workers(): readonly PackWorker[] {
    return [...this.#workers];
  }

  /** One more, ready when this returns. @throws when it ends instead */
  async add(): Promise<PackWorker> {
    const child = this.#spare;
    this.#spare = startWaiting(this.#script);
    const { stdin, stdout, pid } = child;
    if (stdin === null || stdout === null || pid === undefined) throw new Error("a worker process did not start");
    const worker = { pid, child };
    this.#workers.add(worker);
    stdin.on("error", () => undefined);
    stdin.write(this.#order);
    await Promise.race([
      once(stdout, "data"),
      once(child, "exit").then(() => Promise.reject(new Error("a worker process ended at its start"))),
    ]);
    stdout.resume();
    return worker;
  }

  /** As a loss of power would, and gone when this returns. */
  async kill(worker: PackWorker): Promise<void> {
    this.#workers.delete(worker);
    await ended(worker.child, () => worker.child.kill("SIGKILL"));
  }

  /** It hands over or finishes what it works, and goes. @throws when it does not end well */
  async end(worker: PackWorker): Promise<void> {
    this.#workers.delete(worker);
    await ended(worker.child, () => worker.child.stdin?.end());
    const { exitCode, signalCode } = worker.child;
    if (exitCode !== 0) throw new Error(`worker process ${worker.pid} ended with ${exitCode ?? signalCode}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#spare.kill("SIGKILL");
    await Promise.all(this.workers.map(async (worker) => this.end(worker)));
  }
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  end();
  await exited;
}
