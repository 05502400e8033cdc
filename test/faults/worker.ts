import { createInterface } from "node:readline";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";

/** What a worker process is told, as JSON in its argument. */
export interface Order {
  readonly stateDir: string;
  readonly leaseMs: number;
  /** Milliseconds by which its clock is wrong, from the start and from the begin of the second action on. */
  readonly clock?: { readonly first: number; readonly later: number };
}

const { stateDir, leaseMs, clock } = JSON.parse(process.argv[2] ?? "{}") as Order;
let shift = clock?.first ?? 0;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [RealDate.now() + shift] : given) as [number]));
  }
  static override now(): number {
    return RealDate.now() + shift;
  }
} as DateConstructor;

// Loaded with the wrong clock already.
const { createHostwright } = await import("@hostwright/core");
const hw = await createHostwright({ stateDir, leaseMs, plugins: [nginx, phpFpm, mysql, wordpress] });
const tell = (message: object): boolean => process.stdout.write(`${JSON.stringify(message)}\n`);
const stop = new AbortController();
const working = hw.work({ concurrency: 1 });

void (async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== "end") continue;
    await working[Symbol.asyncDispose]();
    tell({ type: "ended" });
    stop.abort();
    await hw[Symbol.asyncDispose]();
    process.exit(0);
  }
})();

tell({ type: "ready" });
for await (const event of hw.events({ signal: stop.signal })) {
  if (event.type === "action:started" && event.payload.action === 1) shift = clock?.later ?? 0;
  if (event.type === "action:started") tell({ type: event.type, task: event.task, action: event.payload.action });
  else tell({ type: event.type, task: event.task });
}
