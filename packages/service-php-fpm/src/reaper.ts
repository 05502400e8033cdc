import { UNIT_HEADER } from "@hostwright/core/plugin";
import { REAPER, REAPER_SCRIPT } from "./names.ts";

/**
 * Stops every master that has no worker left, and every one whose program was replaced by an update. Workers end
 * themselves after their idle time, so a master without children has been idle for so long; its first minute is spared,
 * since a fresh one has none yet. A request that comes meanwhile waits at the socket. No process is started per site.
 */
export const REAPER_SOURCE: string = `#!/bin/sh
${UNIT_HEADER}
read -r uptime _ < /proc/uptime
now=\${uptime%%.*}
units=''
consider() {
  if [ "/proc/$pid/exe" -ef "$program" ]; then
    [ $((now - started / 1000000)) -gt 60 ] || return 0
    [ -r "/proc/$pid/task/$pid/children" ] || return 0
    workers=''
    read -r workers < "/proc/$pid/task/$pid/children"
    [ -z "$workers" ] || return 0
  fi
  units="$units $unit"
}
list=$(systemctl show --state=running --property=Id,MainPID,ExecStart,ActiveEnterTimestampMonotonic 'hostwright-php-*.service')
while IFS='=' read -r name value; do
  case $name in
    Id) unit=$value ;;
    MainPID) pid=$value ;;
    ExecStart) program=\${value#*path=} program=\${program%% *} ;;
    ActiveEnterTimestampMonotonic) started=$value ;;
    '') [ "\${pid:-0}" = 0 ] || consider; pid=0 ;;
  esac
done <<LIST
$list

LIST
# Names of units hold no blanks.
[ -z "$units" ] || systemctl --quiet --no-block stop -- $units
`;

export const REAPER_SERVICE: string = `${UNIT_HEADER}
[Unit]
Description=Stops the PHP of idle Hostwright sites

[Service]
Type=oneshot
ExecStart=/bin/sh ${REAPER_SCRIPT}
Nice=10
`;

export const REAPER_TIMER: string = `${UNIT_HEADER}
[Unit]
Description=Stops the PHP of idle Hostwright sites

[Timer]
OnActiveSec=60s
OnUnitInactiveSec=60s
AccuracySec=10s
Unit=${REAPER}.service

[Install]
WantedBy=timers.target
`;
