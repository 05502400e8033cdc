import { createHash } from "node:crypto";
import type { SiteView } from "@hostwright/core/plugin";
import { GRACE_SECONDS, iniArguments, masterIni } from "./limits.ts";
import { poolPath, socketPath, unitName } from "./names.ts";
import type { PhpFpmOptions } from "./options.ts";
import { renderPool } from "./pool.ts";
import { unitValue } from "./quote.ts";
import { sandbox } from "./sandbox.ts";

const HEADER = "# Written by Hostwright. Changes made here are lost.";

/** The socket stands for as long as the site is enabled, whether its PHP runs or not. */
export function renderSocketUnit(view: SiteView): string {
  return [
    HEADER,
    "[Unit]",
    `Description=PHP of the Hostwright site ${view.id} (socket)`,
    "",
    "[Socket]",
    `ListenStream=${socketPath(view.id)}`,
    `SocketUser=${unitValue(view.webUser)}`,
    `SocketGroup=${unitValue(view.webUser)}`,
    "SocketMode=0600",
    // May be passed through but not listed: its entries are the ids of all sites.
    "DirectoryMode=0711",
    // Else it stays in /run when the site goes.
    "RemoveOnStop=yes",
    // A limit here ends in a dead socket. This one only pauses, and keeps a master that cannot start from spinning.
    "TriggerLimitBurst=0",
    "PollLimitIntervalSec=10s",
    "PollLimitBurst=20",
    "",
    "[Install]",
    "WantedBy=sockets.target",
    "",
  ].join("\n");
}

/**
 * The site's php-fpm master, started by its first request. Its text names a digest of the pool's configuration: a
 * changed pool changes this file too, and with it the running unit is known to be stale.
 */
export function renderServiceUnit(view: SiteView, options: PhpFpmOptions): string {
  const digest = createHash("sha256").update(renderPool(view, options)).digest("hex").slice(0, 16);
  const command = [
    `/usr/sbin/php-fpm${options.version}`,
    "--nodaemonize",
    "--fpm-config",
    poolPath(view.id),
    ...iniArguments(masterIni(options)),
  ];
  const socket = `${unitName(view.id)}.socket`;
  return [
    HEADER,
    `# Pool ${digest}`,
    "[Unit]",
    `Description=PHP of the Hostwright site ${view.id}`,
    `Requires=${socket}`,
    `After=${socket} network.target`,
    // A broken start must not end in "start request repeated too quickly" after it was repaired.
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=notify",
    `Environment=FPM_SOCKETS=${socketPath(view.id)}=3`,
    `ExecStart=${command.map(unitValue).join(" ")}`,
    "ExecReload=/bin/kill -USR2 $MAINPID",
    // php-fpm ends requests gracefully on this signal only; those that wait are kept by the socket.
    "KillSignal=SIGQUIT",
    "KillMode=mixed",
    `TimeoutStopSec=${GRACE_SECONDS + 10}s`,
    ...sandbox(view, options).map(([name, value]) => `${name}=${unitValue(value)}`),
    "",
  ].join("\n");
}
