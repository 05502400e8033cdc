import type { Declared } from "../contracts/resource.ts";
import { directory } from "./directory.ts";
import { file } from "./file.ts";

/**
 * For `[Unit]`, of a service that listens on addresses of the server: one that is not there yet cannot be bound, and the
 * service would not come up after a boot.
 */
export const AFTER_NETWORK: readonly string[] = ["Wants=network-online.target", "After=network-online.target"];

/**
 * What is set for a unit of the distribution's, as the drop-in `hostwright.conf` with these lines. A unit that is declared
 * is restarted when they change. @throws HW_INPUT_INVALID
 */
export function unitDropIn(unit: string, lines: readonly string[]): readonly Declared[] {
  const folder = `/etc/systemd/system/${unit}.d`;
  const content = ["# Managed by Hostwright.", ...lines, ""].join("\n");
  return [directory({ path: folder, shared: true }), file({ path: `${folder}/hostwright.conf`, content })];
}
