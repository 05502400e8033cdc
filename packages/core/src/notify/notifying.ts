import * as z from "zod";
import type { Notifier } from "../contracts/notifier.ts";
import type { StateStore } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Events } from "../engine/events.ts";
import { parseInput } from "../model/parse.ts";
import { Delivery } from "./delivery.ts";
import { SYSTEM_CLOCK, type Clock } from "../model/time.ts";

/** Milliseconds between two looks for tasks that ended elsewhere. */
const LOOK_MS = 1000;

const Times = z.object({
  retryMs: z.array(z.number().min(0).max(31_536_000_000)).optional(),
  timeoutMs: z.int().min(1).optional(),
});

/** Every notifier of an instance, each on its own: one whose target is down holds up no other, and no task. */
export class Notifying {
  readonly #events: Events;
  readonly #deliveries: readonly Delivery[];

  /** @throws HW_INPUT_INVALID: two have one name, or a number is out of its range */
  constructor(store: StateStore, events: Events, notifiers: readonly Notifier[], clock: Clock = SYSTEM_CLOCK) {
    this.#events = events;
    const names = notifiers.map(({ name }) => name);
    const wrong = names.find((name, index) => !/^[\w.:-]{1,100}$/.test(name) || names.indexOf(name) !== index);
    if (wrong !== undefined) {
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `notify: the name "${wrong.slice(0, 100)}" is used twice or no name.`,
        {
          remedy: "Give each notifier a name of its own: letters, digits and . : _ -, at most 100.",
          data: { field: "notify" },
        },
      );
    }
    for (const { name, retryMs, timeoutMs } of notifiers) parseInput(Times, { retryMs, timeoutMs }, `notify: ${name}`);
    this.#deliveries = notifiers.map((notifier) => new Delivery(store, events, notifier, clock));
  }

  /** What ends from now on is told to those notifiers that the store does not know yet. */
  async begin(): Promise<void> {
    for (const delivery of this.#deliveries) await delivery.begin();
  }

  /** Delivers until it is disposed; a try under way then is broken off, and made again by the next that works. */
  work(): AsyncDisposable {
    const stop = new AbortController();
    const loops = this.#deliveries.map(async (delivery) => this.#again(delivery, stop.signal));
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await Promise.all(loops);
      },
    };
  }

  async #again(delivery: Delivery, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const ended = this.#nextEnd(signal);
      // A store that cannot be read now is asked again later.
      await delivery.pass(signal).catch(() => undefined);
      await ended;
    }
  }

  /** From this moment on: what ends while the store is read is not waited for. */
  async #nextEnd(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const timer = setTimeout(wake, LOOK_MS);
    const stop = this.#events.listen(({ type }) => {
      if (type === "task:finished") wake();
    });
    signal.addEventListener("abort", wake);
    await promise;
    clearTimeout(timer);
    stop();
    signal.removeEventListener("abort", wake);
  }
}
