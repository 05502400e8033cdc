import { openPostgresKernel } from "../../examples/plugins/postgres-store.ts";
import { COUNTERS } from "../../packages/core/src/store/tables/named.ts";
import { readOrder } from "./worker-order.ts";

/** Counts up in one transaction, and says when it is in the middle of it for the first time; ends with its standard input. */
const { order, lines } = await readOrder();
const { url } = order as { readonly url: string };
const kernel = await openPostgresKernel(url);
let tries = 0;
await kernel.tables.transact(async (rows) => {
  tries += 1;
  const [found] = await rows.get(COUNTERS, [{ name: "stopped" }]);
  await rows.put(COUNTERS, [{ name: "stopped", value: (found?.value ?? 0) + 1 }]);
  if (tries === 1) process.stdout.write("inside\n");
  // Long enough to be stopped here.
  if (tries === 1) await new Promise((resolve) => setTimeout(resolve, 500));
});
process.stdout.write(`tries ${tries}\n`);
for await (const _line of lines);
await kernel.close();
process.exit(0);
