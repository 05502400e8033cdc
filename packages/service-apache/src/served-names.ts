import type { ServedName } from "@hostwright/core/plugin";

/**
 * Names of virtual hosts, as `apache2ctl -D DUMP_VHOSTS` lists them; in files of ours too: a store that was restored from a
 * backup does not know every site that is served.
 */
export function servedNames(dump: string): readonly ServedName[] {
  const held: ServedName[] = [];
  let file = "";
  for (const line of dump.split("\n")) {
    const host = hostOf(line);
    if (host !== null) ({ file } = host);
    const name = host?.name ?? /^\s+(?:wild )?alias (\S+)\s*$/.exec(line)?.[1];
    if (name !== undefined && name.includes(".")) held.push({ name, file });
  }
  return held;
}

/** `*:80 a.example (/etc/apache2/sites-enabled/a.conf:1)`, with more before the name or less. */
function hostOf(line: string): ServedName | null {
  const at = line.lastIndexOf(" (/");
  const file = at < 0 ? undefined : /^ \((\/.+):\d+\)$/.exec(line.slice(at).trimEnd())?.[1];
  return file === undefined ? null : { name: line.slice(line.lastIndexOf(" ", at - 1) + 1, at), file };
}
