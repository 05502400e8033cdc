import type { ExecResult } from "../hosts/host.ts";
import { rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { boot, execIn, findInit, remountDisk, waitUntilUp } from "./container.ts";
import { containerInit, isAlive, type ProcessId, signal, waitForEnd } from "./processes.ts";
import { runResult, type RunOptions } from "./run.ts";
import { stopOwnDisk } from "./own-disk.ts";
import { hostFolder, type HostRecord, killHost } from "./runs.ts";
import type { TestHost } from "./test-host.ts";

export interface LocalHostFacts {
  address: string;
  root: string;
  privateKey: string;
  hostKey: string;
  services: readonly string[];
  /** What its disk lies over, if the power can be cut. */
  base: string | null;
}

/** A host that runs as a container on this machine. */
export class LocalHost implements TestHost {
  readonly port: number = 22;
  readonly user: string = "root";
  readonly name: string;
  readonly address: string;
  readonly root: string;
  readonly privateKey: string;
  readonly hostKey: string;
  readonly #services: readonly string[];
  readonly #runId: string;
  readonly #base: string | null;
  #record: HostRecord;

  constructor(runId: string, record: HostRecord, facts: LocalHostFacts) {
    this.#runId = runId;
    this.#record = record;
    this.name = record.name;
    this.address = facts.address;
    this.root = facts.root;
    this.privateKey = facts.privateKey;
    this.hostKey = facts.hostKey;
    this.#services = facts.services;
    this.#base = facts.base;
  }

  get running(): boolean {
    const { init, keeper } = this.#record;
    return (init !== undefined && isAlive(init)) || (keeper !== undefined && containerInit(keeper) !== undefined);
  }

  async waitUntilUp(): Promise<void> {
    for (;;) {
      const init = await this.#init();
      try {
        await waitUntilUp(this.#runId, this.#record, this.address, this.#services);
        return;
      } catch (error) {
        const { keeper } = this.#record;
        // Where it went down under our eyes, it may be on its way up again.
        if (isAlive(init) || keeper === undefined || !isAlive(keeper)) throw error;
      }
    }
  }

  async #init(): Promise<ProcessId> {
    const { init, keeper } = this.#record;
    if (init !== undefined && isAlive(init)) return init;
    if (keeper === undefined || !isAlive(keeper))
      throw new Error(`the host ${this.name} does not run: start() it first`);
    // It was rebooted, by us or by what we test.
    this.#record = await findInit(this.#runId, this.#record);
    if (this.#record.init === undefined) throw new Error(`the host ${this.name} does not run`);
    return this.#record.init;
  }

  async exec(argv: readonly string[], options: RunOptions = {}): Promise<ExecResult> {
    return execIn(await this.#init(), argv, options);
  }

  async sh(script: string, options: RunOptions = {}): Promise<string> {
    const result = await this.exec(["sh", "-c", script], options);
    if (result.code !== 0)
      throw new Error(
        `on the host ${this.name}, exit code ${result.code}: ${script}\n${result.stdout}${result.stderr}`,
      );
    return result.stdout;
  }

  async reboot(): Promise<void> {
    const before = await this.#init();
    await this.exec(["systemctl", "reboot"]);
    if (!(await waitForEnd(before, 60_000))) throw new Error(`the host ${this.name} did not shut down within 60 s`);
    await this.waitUntilUp();
  }

  async kill(): Promise<void> {
    await killHost(this.#runId, this.#record);
  }

  async losePower(): Promise<void> {
    if (this.#base === null) throw new Error(`the host ${this.name} has no disk of its own: give its spec an ownDisk`);
    await stopOwnDisk(hostFolder(this.#runId, this.name));
    await this.kill();
    await remountDisk(this.#runId, this.name, this.#base);
  }

  async stop(): Promise<void> {
    const { init } = this.#record;
    // What systemd takes as "power off": SIGRTMIN+4. Node has no name for it.
    const powerOff = 38;
    if (init !== undefined && signal(init, powerOff)) await waitForEnd(init, 30_000);
    await killHost(this.#runId, this.#record);
  }

  async start(): Promise<void> {
    if (this.running) return;
    this.#record = await boot(this.#runId, { name: this.name, index: this.#record.index }, this.root);
    await this.waitUntilUp();
  }

  async fillDisk(path: string): Promise<AsyncDisposable> {
    const folder = join(this.root, path);
    const { blocks, bavail, bsize } = await statfs(folder);
    if (blocks * bsize > 2 ** 30)
      throw new Error(`${path} is on a disk of more than 1 GB: name it in the host's smallDisks`);
    const filler = join(folder, ".fills-the-disk");
    // Ends with "no space left", which is the aim.
    await runResult("dd", [
      "if=/dev/zero",
      `of=${filler}`,
      "bs=4096",
      `count=${Math.ceil((bavail * bsize) / 4096) + 16}`,
    ]);
    return { [Symbol.asyncDispose]: () => rm(filler, { force: true }) };
  }
}
