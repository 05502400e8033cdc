import { createInterface } from "node:readline";
import { createHostwright } from "@hostwright/core";
import { tell, Tripwire, type Point } from "./tripwire.ts";
import { watchedServers } from "./watched-servers.ts";
import { watchStore } from "./watched-store.ts";
import { WORKER_PLUGINS } from "./worker-plugins.ts";

/** What a crash worker is told, as one line of JSON. */
export interface Order {
  readonly stateDir: string;
  readonly task: string;
  /** Where it dies; null: it does not, and tells of all points that it passes. */
  readonly at: Point | null;
  /** The task is cancelled just before its commit row. */
  readonly cancelled: boolean;
}

/** A worker process that waits for its order, works or recovers one task, and may die on the way. */
const { value: line } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
// Whoever started it is gone.
if (line === undefined) process.exit(0);
const order = JSON.parse(line) as Order;
const wire = new Tripwire(order.at);
watchStore(wire, order);
const hw = await createHostwright({
  stateDir: order.stateDir,
  plugins: WORKER_PLUGINS,
  provide: [watchedServers(wire)],
});
wire.arm();
const working = hw.work({ concurrency: 1 });
await hw.task(order.task).outcome();
await working[Symbol.asyncDispose]();
await hw[Symbol.asyncDispose]();
tell({ finished: true });
process.exit(0);
