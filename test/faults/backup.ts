import { copyFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, backup } from "node:sqlite";
import { createHostwright, type Hostwright } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";

/** Copies a state folder in use, as docs/operations.md says. @returns the folder of the copy */
export async function backUp(stateDir: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "hostwright-backup-"));
  for (const file of ["store.db", "events.db"]) {
    using source = new DatabaseSync(join(stateDir, file), { readOnly: true });
    await backup(source, join(copy, file));
  }
  await copyFile(join(stateDir, "key"), join(copy, "key"));
  const { chmod } = await import("node:fs/promises");
  for (const file of ["store.db", "events.db", "key"]) await chmod(join(copy, file), 0o600);
  return copy;
}

/** An instance over a restored store. */
export async function openRestored(stateDir: string): Promise<Hostwright> {
  return createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, wordpress] });
}
