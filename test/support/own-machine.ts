import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What starts a process as on a machine of its own, as far as leases see one: with another boot id, and processes that no
 * other sees. It ends with whoever started it.
 */
export function ownMachine(folder: string): readonly string[] {
  const [boot, bootId] = [randomUUID(), "/proc/sys/kernel/random/boot_id"];
  const file = join(folder, boot);
  writeFileSync(file, `${boot}\n`);
  const script = `mount --bind ${file} ${bootId} && exec "$@"`;
  return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, "machine"];
}
