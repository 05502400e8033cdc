import type { TaskState, TaskStore } from "../contracts/store.ts";
import type { Events } from "./events.ts";
import { Wakeups, type Sleeper } from "./stream/wakeups.ts";

const ENDED: readonly TaskState[] = ["succeeded", "undone", "needs-attention"];

export function hasEnded(state: TaskState | null): boolean {
  return state !== null && ENDED.includes(state);
}

/**
 * Wakes who waits for the end of a task. The store decides that it ended (decisions.md D15); an event only makes it known
 * sooner, and may come late.
 */
export class TaskEnds {
  readonly #tasks: Pick<TaskStore, "ended" | "lastEnded">;
  readonly #wakeups: Wakeups;
  #cursor = 0;

  constructor(tasks: Pick<TaskStore, "ended" | "lastEnded">, events: Events) {
    this.#tasks = tasks;
    this.#wakeups = new Wakeups({
      begin: async () => {
        this.#cursor = await tasks.lastEnded();
      },
      look: async () => this.#look(),
    });
    events.listen(({ type, task }) => {
      if (type === "task:finished" && task !== null) this.#wakeups.wake([task]);
    });
  }

  sleeper(task: string): Sleeper {
    return this.#wakeups.sleeper(task);
  }

  async #look(): Promise<readonly string[]> {
    const found: string[] = [];
    for (;;) {
      const page = await this.#tasks.ended(this.#cursor);
      this.#cursor = page.at(-1)?.ended ?? this.#cursor;
      for (const { id } of page) found.push(id);
      if (page.length === 0) return found;
    }
  }
}
