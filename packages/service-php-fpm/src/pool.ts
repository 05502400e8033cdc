import { safeId, type SiteView } from "@hostwright/core/plugin";
import { changeableIni, fixedIni, GRACE_SECONDS } from "./limits.ts";
import { socketPath } from "./names.ts";
import type { PhpFpmOptions } from "./options.ts";
import { iniValue } from "./quote.ts";

/** Configuration of one site's php-fpm. Holds no secret; its user and limits come from the unit. */
export function renderPool(view: SiteView, options: PhpFpmOptions): string {
  const ini = (directive: string, values: Readonly<Record<string, string | number | boolean>>): string[] =>
    Object.entries(values).map(([name, value]) => `${directive}[${name}] = ${iniValue(value)}`);
  return [
    "; Written by Hostwright. Changes made here are lost.",
    "[global]",
    "error_log = syslog",
    `syslog.ident = php-${safeId(view.id)}`,
    "log_level = warning",
    // Else every master reports to systemd each ten seconds, used or not.
    "systemd_interval = 0",
    `process_control_timeout = ${GRACE_SECONDS}s`,
    "",
    `[${safeId(view.id)}]`,
    `listen = ${socketPath(view.id)}`,
    "pm = ondemand",
    `pm.max_children = ${view.limits.phpWorkers}`,
    `pm.process_idle_timeout = ${options.maxIdleMinutes * 60}s`,
    "pm.max_requests = 1000",
    `request_terminate_timeout = ${view.limits.requestSeconds}s`,
    "request_terminate_timeout_track_finished = yes",
    "catch_workers_output = yes",
    "decorate_workers_output = no",
    "clear_env = yes",
    "security.limit_extensions = .php",
    ...ini("php_admin_value", fixedIni(view)),
    ...ini("php_value", changeableIni(view, options)),
    "",
  ].join("\n");
}
