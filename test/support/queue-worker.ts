import { createHostwright } from "@hostwright/core";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { wordpress } from "@hostwright/platform-wordpress";

/** A worker process that works what is queued until its standard input ends. */
const [stateDir = ""] = process.argv.slice(2);

const hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, wordpress] });
{
  await using _worker = hw.work();
  process.stdout.write("ready\n");
  for await (const _chunk of process.stdin);
}
await hw[Symbol.asyncDispose]();
