import { siteSandbox, type SiteView, type UnitProperty } from "@hostwright/core/plugin";

/** MiB beside the heap: Node.js itself, its stacks, buffers and compiled code. */
const BESIDE_HEAP = 128;

export function sandbox(view: SiteView): readonly UnitProperty[] {
  return siteSandbox(view, {
    memoryMegabytes: view.limits.memoryMegabytes + BESIDE_HEAP,
    // Node.js has a dozen threads; the rest is for workers and commands that the program starts.
    tasks: 128,
    // Node.js calls it on the socket that it is handed, which listens already, and gives up where it is refused.
    listen: "success",
  });
}
