import type { HeldName } from "@hostwright/core";

/**
 * Names of virtual hosts, as `apache2ctl -D DUMP_VHOSTS` lists them; in files of ours too: a store that was restored from a
 * backup does not know every site that is served.
 */
export function heldNames(dump: string): readonly HeldName[] {
  const held: HeldName[] = [];
  let file = "";
  for (const line of dump.split("\n")) {
    const host = /(?:namevhost )?(\S+) \((\/.+):\d+\)\s*$/.exec(line);
    if (host !== null) file = host[2] ?? "";
    const name = host?.[1] ?? /^\s+(?:wild )?alias (\S+)\s*$/.exec(line)?.[1];
    if (name !== undefined && name.includes(".")) held.push({ name, file });
  }
  return held;
}
