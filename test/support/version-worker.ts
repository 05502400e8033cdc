import { createHostwright } from "@hostwright/core";
import { VERSION_1 } from "./plugin-versions.ts";

/** A worker process with version 1 of the plugins: works what is queued, and dies at a named point as if its power was cut. */
const [stateDir = "", type = "", action = "", delay = "0"] = process.argv.slice(2);

const hw = await createHostwright({ stateDir, plugins: VERSION_1 });
const die = (): void => void process.kill(process.pid, "SIGKILL");
hw.work({ concurrency: 1 });
for await (const event of hw.events({ after: Number(process.env["AFTER"] ?? 0) })) {
  const index = "action" in event.payload ? String(event.payload.action) : "";
  if (event.type === type && index === action) setTimeout(die, Number(delay));
}
