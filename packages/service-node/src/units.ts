import {
  HostwrightError,
  safePath,
  siteSocketUnit,
  UNIT_HEADER,
  unitDigest,
  unitLines,
  unitValue,
  type SiteView,
  type UnitProperty,
} from "@hostwright/core/plugin";
import { PRELOAD_PATH, PROGRAM, socketPath, unitName } from "./names.ts";
import { PRELOAD_SOURCE } from "./preload.ts";
import { sandbox } from "./sandbox.ts";

export function renderSocketUnit(view: SiteView): string {
  return siteSocketUnit(view, { title: "Node.js", path: socketPath(view.id) });
}

/** Changes with whatever the running program has read at its start and a task may change: see `unitDigest`. */
function digest({ domain, aliases, title, adminEmail, adminUser, options, platform, bindings }: SiteView): string {
  const settings = { domain, aliases, title, adminEmail, adminUser, options, platform, bindings };
  return unitDigest(PRELOAD_SOURCE + JSON.stringify(settings));
}

function environment({ id, paths }: SiteView): readonly UnitProperty[] {
  const variables = {
    NODE_ENV: "production",
    PORT: socketPath(id),
    HOME: safePath(paths.private),
    TMPDIR: safePath(paths.tmp),
  };
  return [
    ...Object.entries(variables).map(([name, value]): UnitProperty => ["Environment", `${name}=${value}`]),
    ["EnvironmentFile", `-${safePath(paths.conf)}/env`],
  ];
}

/** The site's program, started by its first request and kept running from then on. */
export function renderServiceUnit(view: SiteView): string {
  const main = view.runtime?.main ?? null;
  if (main === null)
    throw new HostwrightError(
      "HW_SERVICE_UNFIT",
      `The platform of ${view.domain} names no program that Node.js could run.`,
    );
  const command = [
    PROGRAM,
    `--max-old-space-size=${view.limits.memoryMegabytes}`,
    "--require",
    PRELOAD_PATH,
    safePath(main),
  ];
  const socket = `${unitName(view.id)}.socket`;
  return [
    UNIT_HEADER,
    `# Settings ${digest(view)}`,
    "[Unit]",
    `Description=Node.js of the Hostwright site ${view.id}`,
    `Requires=${socket}`,
    `After=${socket} network.target`,
    // A broken program must not end in "start request repeated too quickly" after it was repaired.
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${command.map(unitValue).join(" ")}`,
    `WorkingDirectory=${unitValue(safePath(view.platform.root))}`,
    ...unitLines(environment(view)),
    // Also after an exit without an error: requests that come meanwhile wait at the socket.
    "Restart=always",
    "RestartSec=2s",
    "KillMode=mixed",
    "TimeoutStopSec=10s",
    ...unitLines(sandbox(view)),
    "",
  ].join("\n");
}
