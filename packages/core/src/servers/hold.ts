/** Keeps this process alive as long as somebody needs what it holds: `ref` for the first, `unref` after the last. */
export class Hold {
  readonly #held: { ref(): unknown; unref(): unknown };
  #holders = 0;

  constructor(held: { ref(): unknown; unref(): unknown }) {
    this.#held = held;
    held.unref();
  }

  /** Gives the function that lets go, once. */
  take(): () => void {
    this.#holders += 1;
    if (this.#holders === 1) this.#held.ref();
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.#held.unref();
    };
  }
}
