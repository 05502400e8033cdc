import { siteSocketUnit, UNIT_HEADER, unitDigest, unitLines, unitValue, type SiteView } from "@hostwright/core/plugin";
import { GRACE_SECONDS, iniArguments, masterIni } from "./limits.ts";
import { poolPath, socketPath, unitName } from "./names.ts";
import type { PhpFpmOptions } from "./options.ts";
import { renderPool } from "./pool.ts";
import { sandbox } from "./sandbox.ts";

export function renderSocketUnit(view: SiteView): string {
  return siteSocketUnit(view, { title: "PHP", path: socketPath(view.id) });
}

/**
 * The site's php-fpm master, started by its first request. Its text names a digest of the pool's configuration: a
 * changed pool changes this file too, and with it the running unit is known to be stale.
 */
export function renderServiceUnit(view: SiteView, options: PhpFpmOptions): string {
  const command = [
    `/usr/sbin/php-fpm${options.version}`,
    "--nodaemonize",
    "--fpm-config",
    poolPath(view.id),
    ...iniArguments(masterIni(options)),
  ];
  const socket = `${unitName(view.id)}.socket`;
  return [
    UNIT_HEADER,
    `# Pool ${unitDigest(renderPool(view, options))}`,
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
    ...unitLines(sandbox(view, options)),
    "",
  ].join("\n");
}
