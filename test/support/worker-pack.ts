import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Of this process and its workers: hundreds of them load the same code. */
const CODE = mkdtempSync(join(tmpdir(), "hostwright-worker-code-"));
process.once("exit", () => rmSync(CODE, { recursive: true, force: true }));

/** A process that has loaded its code and waits for its order on standard input; see `readOrder`. `by`: what starts it. */
export function startWaiting(script: string, by: readonly string[] = []): ChildProcess {
  const argv = [...by, process.execPath, "--conditions=@hostwright/source", script];
  return spawn(argv[0] ?? "", argv.slice(1), {
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
  readonly #starters: readonly (readonly string[])[];
  readonly #workers = new Set<PackWorker>();
  #started = 0;
  #spare: ChildProcess;

  private constructor(script: string, order: object, starters: readonly (readonly string[])[]) {
    this.#script = script;
    this.#order = `${JSON.stringify(order)}\n`;
    this.#starters = starters;
    this.#spare = this.#start();
  }

  /** `order` is the first line that each of them is told; `starters` are what starts them, in turn. */
  static async start(
    script: string,
    order: object,
    count: number,
    starters: readonly (readonly string[])[] = [[]],
  ): Promise<WorkerPack> {
    const pack = new WorkerPack(script, order, starters);
    await Promise.all(Array.from({ length: count }, async () => pack.add()));
    return pack;
  }

  get workers(): readonly PackWorker[] {
    return [...this.#workers];
  }

  /** One more, ready when this returns. @throws when it ends instead */
  async add(): Promise<PackWorker> {
    const child = this.#spare;
    this.#spare = this.#start();
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

  #start(): ChildProcess {
    return startWaiting(this.#script, this.#starters[this.#started++ % this.#starters.length]);
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
