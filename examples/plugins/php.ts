import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { CONTRACT, defineRuntimeService, directory, file, HostwrightError, unit } from "@hostwright/core/plugin";
import type { Declared, RuntimeRole, ServicePlugin, SiteView, UnitProperty } from "@hostwright/core/plugin";
import * as z from "zod";

const Options = z.strictObject({
  version: z
    .string()
    .regex(/^\d\.\d$/)
    .default("8.4"),
});

const socket = (siteId: string): string => `/run/example-php/${siteId}.sock`;
const pool = (siteId: string): string => `/etc/example-php/${siteId}.conf`;

/** What means nothing to systemd or php-fpm, and leads to no other folder. */
function word(value: string): string {
  if (/^[A-Za-z0-9._+@=~/-]+$/.test(value) && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(value.replace(/^\//, ""))) return value;
  throw new HostwrightError("HW_QUOTE_REFUSED", `${JSON.stringify(value)} cannot stand in a unit.`);
}

const HARDENING: readonly UnitProperty[] = [
  ["NoNewPrivileges", "yes"],
  ["CapabilityBoundingSet", ""],
  ["PrivateDevices", "yes"],
  ["PrivateIPC", "yes"],
  ["PrivateTmp", "yes"],
  ["ProtectSystem", "strict"],
  ["ProtectHome", "yes"],
  ["ProtectProc", "invisible"],
  ["ProtectKernelTunables", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectControlGroups", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["RestrictNamespaces", "yes"],
  ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"],
  ["SystemCallFilter", "@system-service"],
  // All sites share the host's network: what one listens on, every other one would reach.
  ["SystemCallFilter", "~bind listen io_uring_setup io_uring_enter io_uring_register"],
  ["SystemCallErrorNumber", "EPERM"],
  // They name the units of other sites.
  ["InaccessiblePaths", "/etc/systemd/system"],
  ["InaccessiblePaths", "/sys/fs/cgroup"],
  ["TemporaryFileSystem", "/dev/shm:size=64M,mode=1777,nosuid,nodev,noexec"],
  // Of /run a site sees what its master says to systemd, and the system's log.
  ["TemporaryFileSystem", "/run:ro"],
  ["BindReadOnlyPaths", "-/run/systemd/notify"],
  ["BindReadOnlyPaths", "-/run/systemd/journal/dev-log"],
];

/** Of /srv the site sees its release and its own folders, and nothing else. */
function sandbox(view: SiteView): readonly UnitProperty[] {
  const { home, public: publicFolder, private: privateFolder, tmp } = view.paths;
  const { memoryMegabytes, phpWorkers } = view.limits;
  const sockets = Object.values(view.bindings).flatMap((bound) => bound?.socket ?? []);
  return [
    ["User", word(view.user)],
    ["Group", word(view.user)],
    // Every worker at its full memory, and what they share.
    ["MemoryMax", `${memoryMegabytes * phpWorkers + 192}M`],
    ["TasksMax", String(phpWorkers * 8 + 32)],
    ["OOMPolicy", "continue"],
    ...HARDENING,
    ["TemporaryFileSystem", "/srv:ro"],
    ["BindReadOnlyPaths", word(view.platform.root)],
    ["BindReadOnlyPaths", word(home)],
    // The folder and not the socket: a restarted database makes a new one.
    ...sockets.map((path): UnitProperty => ["BindReadOnlyPaths", word(dirname(path))]),
    ...[publicFolder, privateFolder, tmp].map((path): UnitProperty => ["BindPaths", word(path)]),
    ...view.binds.map(({ source, at, writable }): UnitProperty => [
      writable ? "BindPaths" : "BindReadOnlyPaths",
      `${word(source)}:${word(at)}`,
    ]),
  ];
}

/** The same for pages and commands. */
function settings({ paths, limits }: SiteView): readonly (readonly [name: string, value: string])[] {
  return [
    ["memory_limit", `${limits.memoryMegabytes}M`],
    ["upload_max_filesize", `${limits.uploadMegabytes}M`],
    ["post_max_size", `${limits.uploadMegabytes + 8}M`],
    ["sys_temp_dir", word(paths.tmp)],
    ["upload_tmp_dir", word(paths.tmp)],
    ["session.save_path", word(paths.tmp)],
    ["expose_php", "0"],
  ];
}

const lines = (...all: readonly string[]): string => `${all.join("\n")}\n`;

function site(view: SiteView, version: string): readonly Declared[] {
  const { id, limits, enabled, webUser } = view;
  const name = `example-php-${word(id)}`;
  const configuration = lines(
    "[global]",
    "error_log = syslog",
    `[${word(id)}]`,
    `listen = ${socket(id)}`,
    "pm = ondemand",
    `pm.max_children = ${limits.phpWorkers}`,
    `request_terminate_timeout = ${limits.requestSeconds}s`,
    ...settings(view).map(([key, value]) => `php_admin_value[${key}] = "${value}"`),
  );
  return [
    file({ path: pool(id), content: configuration }),
    file({
      path: `/etc/systemd/system/${name}.socket`,
      content: lines(
        "[Socket]",
        `ListenStream=${socket(id)}`,
        `SocketUser=${word(webUser)}`,
        "SocketMode=0600",
        // May be passed through but not listed: its entries are the ids of all sites.
        "DirectoryMode=0711",
        "RemoveOnStop=yes",
        "[Install]",
        "WantedBy=sockets.target",
      ),
    }),
    file({
      path: `/etc/systemd/system/${name}.service`,
      content: lines(
        // A unit is restarted when its own file changes: so it does when the pool's does.
        `# Pool ${createHash("sha256").update(configuration).digest("hex").slice(0, 16)}`,
        "[Service]",
        "Type=notify",
        `Environment=FPM_SOCKETS=${socket(id)}=3`,
        `ExecStart=/usr/sbin/php-fpm${version} --nodaemonize --fpm-config ${pool(id)}`,
        "KillSignal=SIGQUIT",
        "KillMode=mixed",
        ...sandbox(view).map(([key, value]) => `${key}=${value}`),
      ),
    }),
    unit({ name: `${name}.socket`, enabled, active: enabled }),
    // Started by its socket, so it does not matter whether it runs; of a disabled site it must not.
    unit({ name: `${name}.service`, enabled: false, active: enabled ? null : false }),
  ];
}

const versionOf = (options: unknown): string => (options as z.output<typeof Options>).version;

const role: RuntimeRole = {
  protocol: "fastcgi",
  server: () => [directory({ path: "/etc/example-php" })],
  site: (view, { service }) => site(view, versionOf(service.options)),
  socket,
  sandbox,
  interpreter: (view, { service }) => [
    `/usr/bin/php${versionOf(service.options)}`,
    ...settings(view).flatMap(([key, value]) => ["-d", `${key}=${value}`]),
  ],
};

/** One php-fpm a site, started by its first request; it passes the whole suite. `service-php-fpm` also stops idle ones. */
export const examplePhp: ServicePlugin<z.input<typeof Options>> = defineRuntimeService({
  name: "example-php",
  contract: CONTRACT,
  kind: "php",
  type: "example-php",
  options: { version: 1, schema: Options },
  packages: ({ version }) => [`php${version}-fpm`, `php${version}-cli`, `php${version}-pgsql`],
  // Debian starts a master of its own that runs as the web server's user: prepare stops it when it installs it.
  unwantedUnits: ({ version }) => [{ package: `php${version}-fpm`, unit: `php${version}-fpm.service` }],
  facts: ({ version }) => ({
    version: { argv: [`php${version}`, "-r", "echo PHP_VERSION;"], parse: ({ stdout }) => stdout || null },
  }),
  problems: ({ service, facts }) => {
    if ((facts["version"] ?? null) !== null) return [];
    const release = versionOf(service.options);
    return [
      { message: `PHP ${release} is not installed.`, remedy: `Run \`prepare\`, which installs php${release}-fpm.` },
    ];
  },
  role,
});
