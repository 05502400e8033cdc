import { cancelError } from "../actions/cancel-error.ts";
import type { EngineParts } from "../planning/task-engine.ts";

/** Signs of life within the time that a lease lives without any. */
const BEATS = 6;
const LOOK_MS = 300;

/** Beside the work on a task: keeps its leases alive, and stops it when it is cancelled, lost to another, or out of time. */
export class TaskWatch implements Disposable {
  readonly #parts: EngineParts;
  readonly #task: string;
  readonly #holder: string;
  readonly #stop: AbortController = new AbortController();
  readonly #beating: NodeJS.Timeout;
  readonly #looking: NodeJS.Timeout;
  #ending: NodeJS.Timeout | undefined;

  constructor(parts: EngineParts, task: string, holder: string) {
    this.#parts = parts;
    this.#task = task;
    this.#holder = holder;
    this.#beating = setInterval(() => void this.#beat(), parts.store.leases.lifeMs / BEATS);
    this.#looking = setInterval(() => void this.#look(), LOOK_MS);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  endAfter(ms: number): void {
    this.#ending = setTimeout(() => void this.#timeOut(), ms);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#beating);
    clearInterval(this.#looking);
    clearTimeout(this.#ending);
  }

  async #beat(): Promise<void> {
    const held = await this.#parts.store.leases.heartbeat(this.#task, this.#holder).catch(() => true);
    if (!held) this.#stop.abort();
  }

  /** Was it cancelled, maybe by another process? */
  async #look(): Promise<void> {
    const state = await this.#parts.store.tasks.state(this.#task).catch(() => null);
    if (state === "cancelling") this.#stop.abort();
  }

  async #timeOut(): Promise<void> {
    this.#stop.abort(new DOMException("The task's time is over.", "TimeoutError"));
    // Whoever goes on with it, if this worker dies now, knows why it is undone.
    const stopped = {
      what: `Task ${this.#task}`,
      where: "while it was worked",
      left: "What it had done was taken back.",
    };
    const outcome = { error: cancelError(this.#stop.signal, stopped, undefined).toJSON() };
    await this.#parts.store.tasks.move(this.#task, ["running"], "cancelling", { outcome }).catch(() => false);
  }
}
