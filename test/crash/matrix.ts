import { setTimeout as delay } from "node:timers/promises";
import type { TaskOutcome } from "@hostwright/core";
import type { LivingServer } from "../support/living-server.ts";
import { OTHER_HOST, settle, startLiving } from "./arrangements.ts";
import type { CrashCase } from "./cases.ts";
import { CrashProcesses, distinctPoints } from "./crash-process.ts";
import { diffSnapshots, takeSnapshot, type Extent, type Snapshot } from "./snapshot.ts";
import { unexplained } from "./explained.ts";
import type { Point } from "./tripwire.ts";

/** Forwards to the end, or cancelled just before the commit row and undone. */
export type Way = "done" | "undone";

/** What a task does without a crash: the states that it goes between, and the points on the way. */
export interface Recording {
  /** All of the host and the store before the task. */
  readonly whole: Snapshot;
  readonly ends: Readonly<Record<Way, Snapshot>>;
  readonly points: Readonly<Record<Way, readonly Point[]>>;
}

/** One crash, or two: the second one is the recovering worker's. */
export interface Crash {
  readonly way: Way;
  readonly first: Point;
  readonly second?: Point;
}

const LATE_MS = 150_000;

/** A living server on which workers are killed, one task at a time. */
export class CrashMatrix implements AsyncDisposable {
  readonly #processes = new CrashProcesses();
  #living: LivingServer;

  private constructor(living: LivingServer) {
    this.#living = living;
  }

  static async start(): Promise<CrashMatrix> {
    return new CrashMatrix(await startLiving());
  }

  /** Runs the task both ways without a crash. @throws when that alone does not end as it should */
  async record(crashCase: CrashCase): Promise<Recording> {
    try {
      return await this.#record(crashCase);
    } catch (error) {
      await this.#renew();
      throw error;
    }
  }

  async #record(crashCase: CrashCase): Promise<Recording> {
    await settle(this.#living);
    await crashCase.arrange(this.#living);
    const old = await takeSnapshot(this.#living, extentOf(crashCase));
    const whole = await takeSnapshot(this.#living, { whole: true, hosts: ["web1", OTHER_HOST] });
    const done = await this.#run(crashCase, "done");
    const undone = await this.#run(crashCase, "undone");
    const difference = diffSnapshots(old, undone.snapshot);
    if (difference !== "" && crashCase.stays !== true) {
      throw new Error(`${crashCase.name}, cancelled at its commit, was not wholly undone:\n${difference}`);
    }
    return {
      whole,
      ends: { done: done.snapshot, undone: undone.snapshot },
      points: { done: done.points, undone: undone.points.filter(({ name }) => / undo(?: of .*)? > /.test(name)) },
    };
  }

  /** The points that the recovery after a crash passes. */
  async recordRecovery(crashCase: CrashCase, crash: Crash): Promise<readonly Point[]> {
    const task = await this.#crash(crashCase, crash);
    const { passed } = await this.#processes.work({ ...this.#order(task), at: null, cancelled: false });
    return distinctPoints(passed);
  }

  /** Kills the worker there, lets another one take over, and says what is not as it should be; null: all is whole. */
  async try(crashCase: CrashCase, recording: Recording, crash: Crash): Promise<string | null> {
    try {
      const task = await this.#crash(crashCase, crash);
      if (crash.second !== undefined) await this.#die(task, crash.second, false);
      const outcome = await this.#takeOver(task);
      const problem = await this.#judge(crashCase, task, outcome, recording);
      if (problem === null) return null;
      await this.#renew();
      return problem;
    } catch (error) {
      await this.#renew();
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** After all crashes of a case: what each of them may have left where one is not looked for. Empty when nothing is. */
  async remains(crashCase: CrashCase, { whole }: Recording): Promise<string> {
    await crashCase.arrange(this.#living);
    return diffSnapshots(whole, await takeSnapshot(this.#living, { whole: true, hosts: ["web1", OTHER_HOST] }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#processes[Symbol.dispose]();
    await this.#living[Symbol.asyncDispose]();
  }

  async #run(
    crashCase: CrashCase,
    way: Way,
  ): Promise<{ readonly snapshot: Snapshot; readonly points: readonly Point[] }> {
    await crashCase.arrange(this.#living);
    const task = await this.#living.hw.submit(crashCase.request);
    const { passed } = await this.#processes.work({ ...this.#order(task.id), at: null, cancelled: way === "undone" });
    const { state, error, residue } = await task.outcome();
    if (state !== (way === "done" ? "succeeded" : "undone")) {
      throw new Error(`${crashCase.name} ended ${state} without a crash: ${JSON.stringify({ error, residue })}`);
    }
    return { snapshot: await takeSnapshot(this.#living, extentOf(crashCase)), points: distinctPoints(passed) };
  }

  async #crash(crashCase: CrashCase, { way, first }: Crash): Promise<string> {
    await crashCase.arrange(this.#living);
    const { id } = await this.#living.hw.submit(crashCase.request);
    await this.#die(id, first, way === "undone");
    return id;
  }

  async #die(task: string, at: Point, cancelled: boolean): Promise<void> {
    const { died } = await this.#processes.work({ ...this.#order(task), at, cancelled });
    if (!died) throw new Error("the worker came to the task's end without passing this point");
  }

  #order(task: string): { readonly stateDir: string; readonly task: string } {
    return { stateDir: this.#living.state.path, task };
  }

  async #takeOver(id: string): Promise<TaskOutcome> {
    const worker = this.#living.hw.work();
    try {
      const late = delay(LATE_MS, null, { ref: false });
      const outcome = await Promise.race([this.#living.hw.task(id).outcome(), late]);
      if (outcome === null) throw new Error(`the task has no end ${LATE_MS / 1000} s after the crash`);
      await worker[Symbol.asyncDispose]();
      return outcome;
    } catch (error) {
      void worker[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #judge(crashCase: CrashCase, task: string, outcome: TaskOutcome, recording: Recording): Promise<string | null> {
    const { state, error, residue } = outcome;
    if (residue.length > 0) return `it ended ${state} with residue: ${JSON.stringify({ error, residue })}`;
    const wanted = recording.ends[state === "succeeded" ? "done" : "undone"];
    const difference = diffSnapshots(wanted, await takeSnapshot(this.#living, extentOf(crashCase)));
    const gaps = unexplained(this.#living.state.journal(task), state);
    if (difference === "" && gaps.length === 0) return null;
    const why = error === null ? "" : ` (${error.code}: ${error.message})`;
    return [`it ended ${state}${why}`, difference, ...gaps].filter((text) => text !== "").join("\n");
  }

  /** What a failed try left must not fail the next one. */
  async #renew(): Promise<void> {
    await this.#living[Symbol.asyncDispose]();
    this.#living = await startLiving();
  }
}

function extentOf({ stays = false, twoHosts = false }: CrashCase): Extent {
  return { whole: stays, hosts: twoHosts ? ["web1", OTHER_HOST] : ["web1"] };
}
