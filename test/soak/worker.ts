import { readOrder } from "../support/worker-order.ts";
import { openSoak, type Place } from "./instance.ts";

/** A worker process of a soak: works what is queued until its standard input ends. */
const { order, lines } = await readOrder();
const { hw } = await openSoak(order as Place);
{
  await using _worker = hw.work({ concurrency: 4 });
  process.stdout.write("ready\n");
  for await (const _line of lines);
}
await hw[Symbol.asyncDispose]();
process.exit(0);
