import type { Events, Listener } from "../engine/events.ts";
import { guarded } from "../engine/stream/guarded.ts";
import { hasEnded, type TaskEnds } from "../engine/task-ends.ts";
import type { EngineParts } from "../engine/planning/task-engine.ts";
import type { Worker } from "../engine/workers/worker.ts";
import { isLeaseLost } from "../errors/hostwright-error.ts";
import { cancelTask } from "../engine/workers/cancel-task.ts";
import { closedOver, type Task } from "./task.ts";

export interface RunOptions {
  /** Called for each event of the task from its start on, in order. What it throws, or rejects with, is a warning. */
  readonly onEvent?: Listener;
  /** Aborting stops the task, whoever works it; everything that was done is undone. */
  readonly signal?: AbortSignal;
}

export interface RunningParts {
  readonly engine: EngineParts;
  readonly events: Events;
  readonly ends: TaskEnds;
  readonly worker: Worker;
  /** Aborted when the instance closes. */
  readonly closing: AbortSignal;
}

/** Milliseconds between two looks whether a task that another worker has is to be gone on with here. */
const LOOK_MS = 2_000;

/** One task that is to be done here and now, unless another worker is quicker: then it is followed to its end. */
export class Running {
  readonly #parts: RunningParts;
  readonly #signal: AbortSignal | undefined;
  readonly #tell: Listener | null;

  constructor(parts: RunningParts, { onEvent, signal }: RunOptions) {
    this.#parts = parts;
    this.#signal = signal;
    this.#tell = onEvent === undefined ? null : guarded(onEvent);
  }

  /** See `Hostwright.run`. */
  async run<Value>(submit: () => Promise<Task<Value>>): Promise<Value> {
    let own: string | null = null;
    let heard = 0;
    let isTold = this.#tell === null;
    const tell: Listener = (event) => {
      if (event.task !== own || event.seq <= heard) return;
      heard = event.seq;
      isTold ||= event.type === "task:finished";
      this.#tell?.(event);
    };
    const stop = this.#parts.events.listen(tell);
    try {
      const task = await submit();
      own = task.id;
      await this.#work(task.id);
      if (!isTold || !(await this.#hasEnded(task.id))) {
        // What another process does is told by the store alone.
        stop();
        const over = new AbortController();
        const following = this.#follow(task, { after: heard, signal: over.signal }, tell);
        await this.#wait(task.id).catch((error: unknown) => {
          over.abort();
          throw error;
        });
        await following;
      }
      return await task.result();
    } finally {
      stop();
      if (own !== null) this.#parts.worker.stranding.forget(own);
    }
  }

  async #work(id: string): Promise<void> {
    const { worker, closing } = this.#parts;
    // What was not begun by then is for whoever looks next.
    if (closing.aborted) return;
    try {
      // What it has begun it ends, also when its instance closes.
      await worker.work(id, this.#signal ?? new AbortController().signal, closing);
    } catch (error) {
      // Another worker goes on with it, or has ended it.
      if (!isLeaseLost(error) && !(await this.#hasEnded(id))) throw error;
    }
    await worker.stranding.refuse(id);
  }

  async #follow(task: Pick<Task, "events">, from: Parameters<Task["events"]>[0], tell: Listener): Promise<void> {
    try {
      for await (const event of task.events(from)) tell(event);
    } catch {
      // Its outcome does not depend on what is told of it.
    }
  }

  /** Until it has ended, wherever that is; one whose worker died is gone on with here. @throws HW_CLOSED */
  async #wait(id: string): Promise<void> {
    const { engine, events, ends, closing } = this.#parts;
    using sleeper = ends.sleeper(id);
    let isAsked = false;
    for (;;) {
      sleeper.reset();
      if (await this.#hasEnded(id)) return;
      if (closing.aborted) throw closedOver(id);
      if (this.#signal?.aborted === true && !isAsked) {
        await cancelTask(engine, events, id);
        isAsked = true;
      } else {
        await this.#goOn(id);
        const stop = this.#signal === undefined || isAsked ? closing : AbortSignal.any([closing, this.#signal]);
        await sleeper.sleep(stop, LOOK_MS);
      }
    }
  }

  /** If nobody has it, or who had it died. */
  async #goOn(id: string): Promise<void> {
    const { engine, worker, closing } = this.#parts;
    if ((await engine.store.tasks.state(id)) === "queued") await this.#work(id);
    else await worker.recover(id, { waiting: closing });
  }

  async #hasEnded(id: string): Promise<boolean> {
    const state = await this.#parts.engine.store.tasks.state(id);
    return state === null || hasEnded(state);
  }
}
