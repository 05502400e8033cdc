import { setTimeout as delay } from "node:timers/promises";
import type { Task } from "@hostwright/core";
import type { LivingServer } from "../support/living-server.ts";
import { stopProcess } from "../support/stop-process.ts";
import type { PackWorker, WorkerPack } from "../support/worker-pack.ts";
import { LATEST, type Round } from "./round.ts";
import type { Plant } from "./saboteur.ts";

/** What was really done to the workers. */
export interface Struck {
  readonly kills: number;
  readonly stops: number;
  /** Of them, those of a worker that went on with another's task. */
  readonly recoverKills: number;
  /** Of them, those while the task was being taken back. */
  readonly undoKills: number;
  /** In words, with times. */
  readonly done: readonly string[];
  /** The pack is as many as before. */
  readonly replaced: Promise<unknown>;
}

export interface Target {
  readonly living: LivingServer;
  readonly pack: WorkerPack;
  readonly task: Task;
  readonly leaseMs: number;
  /** Milliseconds that the task takes by itself. */
  readonly typicalMs: number;
}

const LOOK_MS = 5;
/** The longest that is waited for a moment that may never come. */
const LATE_MS = 20_000;
/** Of the task: the latest first blow of two, of a cancel, and the part of what is left within which who recovers it is killed. */
const FIRST_OF_TWO = 0.8;
const CANCEL = 0.75;
const RECOVERY = 0.4;
/** Actions of the longest plan. Most fail in its second half, so that there is something to take back. */
const MOST_ACTIONS = 8;
const EARLIEST = 0.4;
const ENDED = new Set(["succeeded", "undone", "needs-attention"]);

/** Kills and stops workers while they work a task, as its round says. Those that go are replaced: see `Struck.replaced`. */
export async function strike(target: Target, round: Round): Promise<Struck> {
  const one = new Strike(target);
  await one.carryOut(round);
  return one.struck;
}

class Strike {
  readonly #target: Target;
  readonly #started = performance.now();
  readonly #done: string[] = [];
  readonly #replacing: Promise<unknown>[] = [];
  readonly #count = { kills: 0, stops: 0, recoverKills: 0, undoKills: 0 };

  constructor(target: Target) {
    this.#target = target;
  }

  get struck(): Struck {
    return { ...this.#count, done: this.#done, replaced: heeded(Promise.all(this.#replacing)) };
  }

  async carryOut({ blow, at, later, failing, again }: Round): Promise<void> {
    const { task, pack, typicalMs, leaseMs } = this.#target;
    if (blow === "fail, kill during undo") {
      const action = Math.floor((EARLIEST + (1 - EARLIEST) * failing) * MOST_ACTIONS);
      const plant: Plant = { task: task.id, action };
      for (const { child } of pack.workers) child.stdin?.write(`${JSON.stringify(plant)}\n`);
      return this.#killInUndo(later, again);
    }
    const share = at / LATEST;
    if (blow === "kill, then the recovering") return this.#killTwice(share * FIRST_OF_TWO, later);
    if (blow === "cancel, kill during undo") {
      await delay(share * CANCEL * typicalMs);
      this.#say("cancel");
      await task.cancel().catch(() => this.#say("which is refused"));
      return this.#killInUndo(later, again);
    }
    await delay(at * typicalMs);
    if (blow === "kill") await this.#kill();
    else if (blow === "kill both") {
      this.#say("kill of all");
      for (const worker of pack.workers) await this.#killOne(worker);
    } else await this.#stop(leaseMs * (1.3 + later));
  }

  /** At one of its steps, and who goes on with it at its next one. */
  async #killInUndo(later: number, again: boolean): Promise<void> {
    await this.#until(() => this.#state() === "undoing");
    await this.#until(() => this.#steps("undo") > later * this.#steps("do") - 1);
    const dead = this.#workerOf();
    await this.#kill("undoKills");
    if (!again) return;
    await this.#until(() => this.#workerOf() !== null && this.#workerOf() !== dead);
    const before = this.#steps("undo");
    await this.#until(() => this.#steps("undo") > before);
    if (ENDED.has(this.#state())) return;
    await this.#kill("undoKills");
  }

  /** `at` of the task, and then `later` in what is left of it. */
  async #killTwice(at: number, later: number): Promise<void> {
    const { pack, typicalMs } = this.#target;
    await delay(at * typicalMs);
    const dead = await this.#victim();
    this.#say(`kill of ${dead.pid}`);
    await this.#killOne(dead);
    await this.#until(() => this.#workerOf() !== null && this.#workerOf() !== dead.pid);
    await delay(later * RECOVERY * (1 - at) * typicalMs);
    const recovering = this.#workerOf();
    const second = pack.workers.find(({ pid }) => pid === recovering);
    if (second === undefined) return this.#say("no other has gone on with it");
    this.#say(`kill of ${second.pid}, which went on with it`);
    this.#count.recoverKills += 1;
    await this.#killOne(second);
  }

  async #kill(kind?: "undoKills"): Promise<void> {
    const victim = await this.#victim();
    const state = this.#state();
    this.#say(`kill of ${victim.pid}, ${state}`);
    if (kind !== undefined && !ENDED.has(state)) this.#count[kind] += 1;
    await this.#killOne(victim);
  }

  /** It is woken when another one has the task, or could have it; what it does then is waited for. */
  async #stop(ms: number): Promise<void> {
    const { pack, living } = this.#target;
    const victim = await this.#victim();
    await stopProcess(victim.child, living.state.path);
    this.#count.stops += 1;
    this.#say(`stop of ${victim.pid}, ${this.#state()}, for ${Math.round(ms)} ms`);
    await delay(ms);
    victim.child.kill("SIGCONT");
    await this.#until(() => false, 500);
    await pack.end(victim);
    this.#replacing.push(heeded(pack.add()));
  }

  async #killOne(worker: PackWorker): Promise<void> {
    this.#count.kills += 1;
    await this.#target.pack.kill(worker);
    this.#replacing.push(heeded(this.#target.pack.add()));
  }

  /** Of the pack: that which has the task, else the first. */
  async #victim(): Promise<PackWorker> {
    const { workers } = this.#target.pack;
    const pid = this.#workerOf();
    const victim = workers.find((worker) => worker.pid === pid) ?? workers[0];
    if (victim === undefined) throw new Error("there is no worker to strike");
    return victim;
  }

  /** Rows of its journal that begin one. */
  #steps(wanted: "do" | "undo"): number {
    const { task, living } = this.#target;
    return living.state.journal(task.id).filter(({ phase, state }) => phase === wanted && state === "begun").length;
  }

  async #until(isSo: () => boolean, lateMs = LATE_MS): Promise<void> {
    const late = performance.now() + lateMs;
    while (!isSo() && !ENDED.has(this.#state()) && performance.now() < late) await delay(LOOK_MS);
  }

  #workerOf(): number | null {
    return this.#target.living.state.workerOf(this.#target.task.id);
  }

  #state(): string {
    return this.#target.living.state.stateOf(this.#target.task.id);
  }

  #say(what: string): void {
    this.#done.push(`${Math.round(performance.now() - this.#started)} ms: ${what}`);
  }
}

/** Awaited later: until then its failure is nobody's. */
function heeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
