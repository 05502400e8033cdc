/** How a look at the store finds, for all who wait at once, what has changed. */
export interface Changes {
  /** Sets the point after which changes are looked for: now. */
  begin(): Promise<void>;
  /** Names of what has changed since the last look. */
  look(): Promise<readonly string[]>;
}

/** Milliseconds between two looks for what other processes did. */
const LOOK_MS = 250;
/** Looks after which everybody is woken, whatever was found: a store that was exchanged tells of no change. */
const ANYWAY = 20;

/**
 * Wakes those who wait for something by its name, and nobody else: at once for what this process does, and by one look at
 * the store for all of them for what others do. Looks only while somebody waits.
 */
export class Wakeups {
  readonly #changes: Changes;
  readonly #sleepers = new Map<string, Set<Sleeper>>();
  #awaited = 0;
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  #isLooking = false;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  /** Woken for what happens from now on: made before what is waited for is read, so that nothing in between is missed. */
  sleeper(name: string): Sleeper {
    const all = this.#sleepers.get(name) ?? new Set();
    this.#sleepers.set(name, all);
    const sleeper = new Sleeper(
      (waits) => this.#await(waits ? 1 : -1),
      () => {
        all.delete(sleeper);
        if (all.size === 0 && this.#sleepers.get(name) === all) this.#sleepers.delete(name);
      },
    );
    all.add(sleeper);
    return sleeper;
  }

  wake(names: Iterable<string>): void {
    for (const name of names) for (const sleeper of this.#sleepers.get(name) ?? []) sleeper.wake();
  }

  #await(change: 1 | -1): void {
    this.#awaited += change;
    if (this.#awaited === 0) this.#timer?.unref();
    else if (this.#timer !== undefined) this.#timer.ref();
    else {
      this.#looks = 0;
      this.#timer = setInterval(() => void this.#look(), LOOK_MS);
      void this.#begin();
    }
  }

  /** What happened before looks began was for nobody to see: everybody reads once more. */
  async #begin(): Promise<void> {
    await this.#changes.begin().catch(() => undefined);
    this.wake(this.#sleepers.keys());
  }

  async #look(): Promise<void> {
    if (this.#awaited === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    if (this.#isLooking) return;
    this.#isLooking = true;
    // A store that cannot be read now is looked at again.
    const changed = await this.#changes.look().catch(() => []);
    this.#isLooking = false;
    this.wake(++this.#looks % ANYWAY === 0 ? this.#sleepers.keys() : new Set(changed));
  }
}

/** One who waits; disposed when it waits no more. */
export class Sleeper implements Disposable {
  readonly #waits: (begins: boolean) => void;
  readonly #leave: () => void;
  #isWoken = false;
  #resolve: (() => void) | undefined;

  constructor(waits: (begins: boolean) => void, leave: () => void) {
    this.#waits = waits;
    this.#leave = leave;
  }

  wake(): void {
    this.#isWoken = true;
    this.#resolve?.();
  }

  /** What is read after this has what woke it until now. */
  reset(): void {
    this.#isWoken = false;
  }

  /** Until it is woken (maybe already, since the last `reset`), until `signal` is aborted, or for that many milliseconds. */
  async sleep(signal?: AbortSignal, ms?: number): Promise<void> {
    if (this.#isWoken || signal?.aborted === true) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    this.#resolve = end;
    const timer = ms === undefined ? undefined : setTimeout(end, ms);
    signal?.addEventListener("abort", end);
    this.#waits(true);
    await promise;
    this.#waits(false);
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    this.#resolve = undefined;
  }

  [Symbol.dispose](): void {
    this.#leave();
  }
}
