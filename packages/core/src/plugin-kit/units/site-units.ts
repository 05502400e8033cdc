import { createHash } from "node:crypto";
import type { UnitProperty } from "../../contracts/roles/runtime.ts";
import type { SiteView } from "../../contracts/views.ts";
import { unitValue } from "./quote.ts";

/** First line of every unit file. */
export const UNIT_HEADER = "# Written by Hostwright. Changes made here are lost.";

export const unitPath = (unit: string): string => `/etc/systemd/system/${unit}`;

/** Lines of a unit file, quoted. */
export function unitLines(properties: readonly UnitProperty[]): readonly string[] {
  return properties.map(([name, value]) => `${name}=${unitValue(value)}`);
}

/**
 * For a comment in a unit's file that changes with what the unit reads elsewhere: a running unit that is older than its
 * file is known to be stale.
 */
export function unitDigest(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

/** The socket of a site's runtime. It stands for as long as the site is enabled, whether its code runs or not. */
export function siteSocketUnit(
  view: SiteView,
  { title, path }: { readonly title: string; readonly path: string },
): string {
  return [
    UNIT_HEADER,
    "[Unit]",
    `Description=${title} of the Hostwright site ${view.id} (socket)`,
    "",
    "[Socket]",
    `ListenStream=${path}`,
    `SocketUser=${unitValue(view.webUser)}`,
    `SocketGroup=${unitValue(view.webUser)}`,
    "SocketMode=0600",
    // May be passed through but not listed: its entries are the ids of all sites.
    "DirectoryMode=0711",
    // Else it stays in /run when the site goes.
    "RemoveOnStop=yes",
    // A limit here ends in a dead socket. This one only pauses, and keeps a service that cannot start from spinning.
    "TriggerLimitBurst=0",
    "PollLimitIntervalSec=10s",
    "PollLimitBurst=20",
    "",
    "[Install]",
    "WantedBy=sockets.target",
    "",
  ].join("\n");
}
