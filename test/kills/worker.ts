import { createHostwright } from "@hostwright/core";
import { WORKER_PLUGINS } from "../crash/worker-plugins.ts";
import { readOrder } from "../support/worker-order.ts";
import { Saboteur } from "./saboteur.ts";

/** What a worker of the kills is told first; each further line is a `Plant`. */
export interface Order {
  readonly stateDir: string;
  readonly leaseMs: number;
}

const { order, lines } = await readOrder();
const saboteur = new Saboteur();
const hw = await createHostwright({ ...(order as Order), plugins: WORKER_PLUGINS, provide: [saboteur.provider] });
{
  await using _worker = hw.work({ concurrency: 2 });
  process.stdout.write("ready\n");
  for await (const line of lines) saboteur.plant = JSON.parse(line);
}
await hw[Symbol.asyncDispose]();
process.exit(0);
