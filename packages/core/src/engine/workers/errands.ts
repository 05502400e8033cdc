import { Semaphore } from "../../servers/semaphore.ts";

const AT_ONCE = 8;

/** What a worker does beside its own tasks, each by its name once, a few at a time; what fails is tried again by a later look. */
export class Errands {
  readonly #slots = new Semaphore(AT_ONCE);
  readonly #running = new Map<string, Promise<void>>();

  /** Does nothing when one of that name is under way. */
  run(name: string, work: () => Promise<unknown>): void {
    if (!this.#running.has(name)) this.#running.set(name, this.#run(name, work));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #run(name: string, work: () => Promise<unknown>): Promise<void> {
    const giveBack = await this.#slots.acquire();
    try {
      await work();
    } catch {
      // Its task is as it was: whoever looks next tries it again, and who waits for it is told by its state.
    } finally {
      giveBack?.();
      this.#running.delete(name);
    }
  }
}
