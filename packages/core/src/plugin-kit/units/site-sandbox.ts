import { dirname } from "node:path/posix";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { UnitProperty } from "../../contracts/roles/runtime.ts";
import type { SiteView } from "../../contracts/views.ts";
import { safeId, safePath } from "./quote.ts";

/** What a runtime's sandbox has of its own. */
export interface SandboxNeeds {
  /** What the kernel grants all processes of the site together. */
  readonly memoryMegabytes: number;
  readonly tasks: number;
  /** Files of the runtime, outside the site's folders and release, that its code reads. Default: none. */
  readonly readable?: readonly string[];
  /**
   * What a call of listen(2) gives: `EPERM`, or success without being done, for a program that calls it on the socket
   * that it was handed. Either way nothing listens. Default: `EPERM`.
   */
  readonly listen?: "EPERM" | "success";
}

const HARDENING: readonly UnitProperty[] = [
  ["NoNewPrivileges", "yes"],
  ["CapabilityBoundingSet", ""],
  ["PrivateDevices", "yes"],
  ["PrivateIPC", "yes"],
  ["ProtectSystem", "strict"],
  ["ProtectHome", "yes"],
  ["ProtectProc", "invisible"],
  ["ProtectKernelTunables", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectControlGroups", "yes"],
  ["ProtectClock", "yes"],
  ["ProtectHostname", "yes"],
  ["LockPersonality", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["RestrictNamespaces", "yes"],
  ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallFilter", "@system-service"],
];

/** What is asked of the kernel by a ring no filter of calls sees: sockets, bind and listen among it. */
const PAST_FILTERS = "io_uring_setup io_uring_enter io_uring_register";

/** All sites share the host's network: what one listens on, abstract sockets included, every other one would reach. */
const NOT_LISTENING: Readonly<Record<"EPERM" | "success", readonly UnitProperty[]>> = {
  EPERM: [["SystemCallFilter", `~bind listen ${PAST_FILTERS}`]],
  success: [
    ["SystemCallFilter", `~bind ${PAST_FILTERS}`],
    // An error number of 0: the kernel does nothing and says that all is well. Without a bind, listen(2) would choose a port.
    ["SystemCallFilter", "~listen:0"],
  ],
};

/** Of `/run` a site sees these only: the notification of its service, the system log, names of hosts. */
const VISIBLE_IN_RUN = ["/run/systemd/notify", "/run/systemd/journal/dev-log", "/run/systemd/resolve"];

const INACCESSIBLE = [
  ...[
    "nginx",
    "apache2",
    "letsencrypt",
    "mysql",
    "postgresql",
    "redis",
    "ssh",
    "systemd/system",
    "cron.d",
    "sudoers.d",
  ].map((name) => `/etc/${name}`),
  // Names every other site's unit.
  "/sys/fs/cgroup",
  "/boot",
  "/mnt",
  "/media",
];

/** Folders whose content is hidden, so that only what is bound below appears: those of sites and releases among them. */
function emptied(view: SiteView): readonly string[] {
  const folders = ["/srv", "/var", "/run", "/etc/hostwright"];
  for (const parent of [dirname(view.paths.home), dirname(view.platform.root)]) {
    if (parent === "/")
      throw new HostwrightError(
        "HW_QUOTE_REFUSED",
        `${parent} holds ${view.paths.home} or ${view.platform.root}: other sites beside them could not be hidden.`,
      );
    if (!folders.some((folder) => parent === folder || parent.startsWith(`${folder}/`))) folders.push(safePath(parent));
  }
  return folders;
}

/** The folder of a socket is shown with all that is in it. */
function refuseShared(view: SiteView, socket: string): void {
  const folder = dirname(socket);
  const shared = ["/", "/tmp", "/var/tmp", ...emptied(view)];
  const holds = [view.paths.home, view.platform.root].some((path) => path === folder || path.startsWith(`${folder}/`));
  if (!shared.includes(folder) && !holds) return;
  throw new HostwrightError(
    "HW_QUOTE_REFUSED",
    `The socket ${socket} lies in ${folder}, which holds what is others': a site would see all of it.`,
    { remedy: "Correct the service's plugin: its sockets belong in a folder of their own." },
  );
}

function bind(source: string, at: string = source): string {
  return source === at ? safePath(source) : `${safePath(source)}:${safePath(at)}`;
}

/**
 * What a site's code sees and may do, for its unit and for every command that is run for the site. It sees its release,
 * its own tree, and the sockets of its database and of what else it is bound to; of its neighbours no file, socket or
 * process. (Their ids can be read from /etc/passwd and /proc/net/unix.) Values are as `systemd-run -p` takes them; unit
 * files take `unitLines` of them.
 */
export function siteSandbox(view: SiteView, needs: SandboxNeeds): readonly UnitProperty[] {
  const { memoryMegabytes, tasks, readable = [], listen = "EPERM" } = needs;
  const { home, public: publicFolder, private: privateFolder, tmp } = view.paths;
  const sockets = Object.values(view.bindings).flatMap((bound) => bound?.socket ?? []);
  for (const socket of sockets) refuseShared(view, socket);
  return [
    ["User", view.user],
    ["Group", view.user],
    ["UMask", "0027"],
    ["Slice", `hostwright-site-${safeId(view.id)}.slice`],
    ["MemoryMax", `${memoryMegabytes}M`],
    ["MemorySwapMax", `${memoryMegabytes}M`],
    ["TasksMax", String(tasks)],
    ["LimitCORE", "0"],
    ["OOMPolicy", "continue"],
    ["LogRateLimitIntervalSec", "30s"],
    ["LogRateLimitBurst", "1000"],
    ...HARDENING,
    ...NOT_LISTENING[listen],
    ["SystemCallErrorNumber", "EPERM"],
    ...emptied(view).map((folder): UnitProperty => ["TemporaryFileSystem", `${folder}:ro`]),
    // The host's own is shared by all users.
    ["TemporaryFileSystem", "/dev/shm:size=64M,mode=1777,nosuid,nodev,noexec"],
    ...VISIBLE_IN_RUN.map((path): UnitProperty => ["BindReadOnlyPaths", `-${path}`]),
    ...INACCESSIBLE.map((path): UnitProperty => ["InaccessiblePaths", `-${path}`]),
    // The folder and not the socket: a restarted database makes a new one.
    ...[...new Set(sockets.map((socket) => dirname(socket)))].map((folder): UnitProperty => [
      "BindReadOnlyPaths",
      bind(folder),
    ]),
    ...readable.map((path): UnitProperty => ["BindReadOnlyPaths", `-${safePath(path)}`]),
    ["BindReadOnlyPaths", bind(view.platform.root)],
    ["BindReadOnlyPaths", bind(home)],
    ...[publicFolder, privateFolder, tmp].map((folder): UnitProperty => ["BindPaths", bind(folder)]),
    ["BindPaths", bind(tmp, "/tmp")],
    ["BindPaths", bind(tmp, "/var/tmp")],
    ...view.binds.map(({ source, at, writable }): UnitProperty => [
      writable ? "BindPaths" : "BindReadOnlyPaths",
      bind(source, at),
    ]),
  ];
}
