import { createHostwright, EmbeddedQueue, PART, provide, type Hostwright, type Plugin } from "@hostwright/core";
import type { Clock, QueueWorker, ServiceDefinition, TaskQueue } from "@hostwright/core/plugin";

/** Works another queue's tasks at night alone, by the hours of UTC; what is submitted by day waits in the store. */
export class NightQueue implements TaskQueue {
  readonly #inner: TaskQueue;
  readonly #clock: Clock;
  readonly #hours: { readonly from: number; readonly to: number };

  constructor(inner: TaskQueue, clock: Clock, hours: { readonly from: number; readonly to: number }) {
    this.#inner = inner;
    this.#clock = clock;
    this.#hours = hours;
  }

  async announce(task: string): Promise<void> {
    await this.#inner.announce(task);
  }

  work(worker: QueueWorker, concurrency: number): AsyncDisposable {
    const atNight: QueueWorker = {
      takeNext: async () => (this.#isNight() ? worker.takeNext() : null),
      carryOut: async (task, closing) => worker.carryOut(task, closing),
    };
    return this.#inner.work(atNight, concurrency);
  }

  #isNight(): boolean {
    const { from, to } = this.#hours;
    const hour = new Date(this.#clock.now()).getUTCHours();
    return from <= to ? hour >= from && hour < to : hour >= from || hour < to;
  }
}

/** Another build of a service: the plugin's own, with other packages. It is judged like a plugin's when the instance is opened. */
export function withPackages({ services = [] }: Plugin, packages: readonly string[]): ServiceDefinition {
  const [service] = services;
  if (service === undefined) throw new Error("This plugin brings no service.");
  return { ...service, packages: () => packages };
}

/** An instance with a queue, a clock and a web server of its own; every other part is core's and the plugins'. */
export async function openWithOwnParts(
  stateDir: string,
  nginx: Plugin,
  clock: Clock,
  queue: TaskQueue = new EmbeddedQueue(),
): Promise<Hostwright> {
  return createHostwright({
    stateDir,
    plugins: [nginx],
    provide: [
      provide(PART.clock, () => clock),
      provide(PART.queue, (parts) => new NightQueue(queue, parts.get(PART.clock), { from: 22, to: 5 })),
      provide(PART.service("http", "nginx"), () => withPackages(nginx, ["nginx-full"])),
    ],
  });
}
