import { createHostwright } from "@hostwright/core";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { wordpress } from "@hostwright/platform-wordpress";

/** A worker process that works what is queued, and dies at a named point as if its power was cut. */
const [stateDir = "", type = "", action = "", delay = "0"] = process.argv.slice(2);

const hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, wordpress] });
const die = (): void => void process.kill(process.pid, "SIGKILL");
hw.work({ concurrency: 1 });
for await (const event of hw.events({ after: Number(process.env["AFTER"] ?? 0) })) {
  const index = "action" in event.payload ? String(event.payload.action) : "";
  if (event.type === type && index === action) {
    if (delay === "0") die();
    else setTimeout(die, Number(delay));
  }
  if (event.type === "task:finished") {
    process.stdout.write("finished\n");
    await hw[Symbol.asyncDispose]();
    process.exit(0);
  }
}
