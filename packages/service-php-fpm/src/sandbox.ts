import { siteSandbox, type SiteView, type UnitProperty } from "@hostwright/core/plugin";
import { poolPath } from "./names.ts";
import type { PhpFpmOptions } from "./options.ts";

/** The sandbox of a site's PHP: every worker at its full memory, and the opcode cache once. */
export function sandbox(view: SiteView, { opcacheMegabytes }: PhpFpmOptions): readonly UnitProperty[] {
  const { memoryMegabytes, phpWorkers } = view.limits;
  return siteSandbox(view, {
    memoryMegabytes: memoryMegabytes * phpWorkers + opcacheMegabytes + 64,
    // Workers, the master, and some commands that they may start.
    tasks: phpWorkers * 8 + 32,
    readable: [poolPath(view.id)],
  });
}
