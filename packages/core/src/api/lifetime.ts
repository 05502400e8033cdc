import { types } from "node:util";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { warn } from "../engine/stream/guarded.ts";

/** What an instance, with every facade bound to it, has under way. Closing ends all of it and refuses what comes later. */
export class Lifetime {
  readonly #closing = new AbortController();
  readonly #calls = new Set<Promise<unknown>>();
  readonly #kept = new Set<AsyncDisposable>();

  /** Aborted when closing begins: whatever only waits ends then. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws HW_CLOSED */
  refuseClosed(): void {
    if (this.closing.aborted)
      throw new HostwrightError("HW_CLOSED", "This Hostwright instance is closed. Nothing was done.");
  }

  /** A call, which closing waits for. @throws HW_CLOSED */
  async during<T>(call: () => Promise<T>): Promise<T> {
    this.refuseClosed();
    const under = call();
    this.#calls.add(under);
    try {
      return await under;
    } finally {
      this.#calls.delete(under);
    }
  }

  /** Ends with the instance, whatever its consumer does. */
  async *stream<T>(inner: AsyncGenerator<T>): AsyncGenerator<T> {
    try {
      while (!this.closing.aborted) {
        const next = await this.during(async () => inner.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await inner.return(undefined);
    }
  }

  /** Disposed by closing, unless it was before. */
  keep(one: AsyncDisposable): AsyncDisposable {
    let ended: Promise<void> | undefined;
    const kept: AsyncDisposable = {
      [Symbol.asyncDispose]: async () => {
        ended ??= Promise.resolve(one[Symbol.asyncDispose]()).finally(() => this.#kept.delete(kept));
        return ended;
      },
    };
    this.#kept.add(kept);
    return kept;
  }

  /** Ends when nothing is under way. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    await ended([...this.#kept].map((one) => async () => one[Symbol.asyncDispose]()));
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
  }
}

/** Does every one of these, also after one that failed: what fails is a warning of the process. */
export async function ended(ends: readonly (() => unknown)[]): Promise<void> {
  await Promise.all(
    ends.map(async (end) => {
      try {
        await end();
      } catch (error) {
        warn(error);
      }
    }),
  );
}

/** The same object, each of whose methods belongs to the instance: refused once that is closed, and ended with it. */
export function bound<T extends object>(life: Lifetime, object: T): T {
  return new Proxy(object, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || name === "constructor") return value;
      return (...args: unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(value, target, args);
        if (name === Symbol.asyncDispose) return call();
        if (types.isAsyncFunction(value) && !types.isGeneratorFunction(value))
          return life.during(async () => call() as Promise<unknown>);
        life.refuseClosed();
        const result = call();
        return types.isGeneratorObject(result) ? life.stream(result as unknown as AsyncGenerator) : result;
      };
    },
  });
}
