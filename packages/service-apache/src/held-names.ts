import type { HeldName } from "@hostwright/core";
import { ROOT } from "./paths.ts";

/** Names of virtual hosts in files that are not ours, as `apache2ctl -D DUMP_VHOSTS` lists them. */
export function heldNames(dump: string): readonly HeldName[] {
  const held: HeldName[] = [];
  let file = "";
  for (const line of dump.split("\n")) {
    const host = /(?:namevhost )?(\S+) \((\/.+):\d+\)\s*$/.exec(line);
    if (host !== null) file = host[2] ?? "";
    const name = host?.[1] ?? /^\s+(?:wild )?alias (\S+)\s*$/.exec(line)?.[1];
    if (name !== undefined && name.includes(".") && !file.startsWith(`${ROOT}/`)) held.push({ name, file });
  }
  return held;
}
