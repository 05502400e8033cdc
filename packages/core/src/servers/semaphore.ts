/** Lets so many at once; the others wait in their order. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #closed = new AbortController();

  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves with the function that gives the place back (once), or with null when the signal or the closing comes first. */
  acquire(signal?: AbortSignal): Promise<(() => void) | null> {
    if (signal?.aborted === true || this.#closed.signal.aborted) return Promise.resolve(null);
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(this.#giveBack());
    }
    return new Promise((resolve) => {
      const signals = [this.#closed.signal, ...(signal === undefined ? [] : [signal])];
      const settle = (place: (() => void) | null): void => {
        for (const one of signals) one.removeEventListener("abort", leave);
        resolve(place);
      };
      const proceed = (): void => settle(this.#giveBack());
      const leave = (): void => {
        const place = this.#waiting.indexOf(proceed);
        if (place >= 0) this.#waiting.splice(place, 1);
        settle(null);
      };
      this.#waiting.push(proceed);
      for (const one of signals) one.addEventListener("abort", leave, { once: true });
    });
  }

  /** Sends away who waits, and who comes. */
  close(): void {
    this.#closed.abort();
  }

  #giveBack(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }
}
