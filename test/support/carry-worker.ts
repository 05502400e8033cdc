import { createHostwright } from "@hostwright/core";
import { carrying } from "./carry-plugin.ts";

/** A worker process that works what is queued until it is killed, and says each progress of one task's transfer. */
const [stateDir = "", about = ""] = process.argv.slice(2);

const hw = await createHostwright({ stateDir, plugins: [carrying] });
hw.work();
for await (const { type, payload } of hw.task(about).events())
  if (type === "action:progress") process.stdout.write(`${payload.bytes}\n`);
