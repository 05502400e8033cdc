import { Semaphore } from "../../servers/semaphore.ts";

const AT_ONCE = 8;

/** Gives a place back for as long as its work only waits, so that eight who wait keep nobody else from working. */
export type Rest = <T>(wait: () => Promise<T>) => Promise<T>;

/** Of work that has no place to give back. */
export const restless: Rest = async (wait) => wait();

/** What a worker does beside its own tasks, each by its name once, a few at a time; what fails is tried again by a later look. */
export class Errands {
  readonly #slots = new Semaphore(AT_ONCE);
  readonly #running = new Map<string, Promise<void>>();

  /** Does nothing when one of that name is under way. */
  run(name: string, work: (rest: Rest) => Promise<unknown>): void {
    if (!this.#running.has(name)) this.#running.set(name, this.#run(name, work));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #run(name: string, work: (rest: Rest) => Promise<unknown>): Promise<void> {
    let giveBack = await this.#slots.acquire();
    try {
      await work(async (wait) => {
        giveBack?.();
        try {
          return await wait();
        } finally {
          giveBack = await this.#slots.acquire();
        }
      });
    } catch {
      // Its task is as it was: whoever looks next tries it again, and who waits for it is told by its state.
    } finally {
      giveBack?.();
      this.#running.delete(name);
    }
  }
}
