import { CONTRACT, definePhpService, directory, file, HostwrightError, unit } from "@hostwright/core";
import type { Declared, PhpRole, ServicePlugin, SiteView, UnitProperty } from "@hostwright/core";
import * as z from "zod";

const Options = z.strictObject({
  version: z
    .string()
    .regex(/^\d\.\d$/)
    .default("8.4"),
});

const socket = (siteId: string): string => `/run/example-php/${siteId}.sock`;
const pool = (siteId: string): string => `/etc/example-php/${siteId}.conf`;

function word(value: string): string {
  if (/^[A-Za-z0-9./_-]+$/.test(value)) return value;
  throw new HostwrightError("HW_QUOTE_REFUSED", `${JSON.stringify(value)} cannot stand in a unit.`);
}

/** Of /srv the site sees its release and its own folders, and nothing else. */
function sandbox(view: SiteView): readonly UnitProperty[] {
  const { home, public: publicFolder, private: privateFolder, tmp } = view.paths;
  return [
    ["User", word(view.user)],
    ["Group", word(view.user)],
    ["NoNewPrivileges", "yes"],
    ["ProtectSystem", "strict"],
    ["ProtectHome", "yes"],
    ["ProtectProc", "invisible"],
    ["PrivateDevices", "yes"],
    ["PrivateTmp", "yes"],
    ["TemporaryFileSystem", "/srv:ro"],
    ["BindReadOnlyPaths", word(view.platform.root)],
    ["BindReadOnlyPaths", word(home)],
    ...[publicFolder, privateFolder, tmp].map((path): UnitProperty => ["BindPaths", word(path)]),
    ...view.binds.map(({ source, at, writable }): UnitProperty => [
      writable ? "BindPaths" : "BindReadOnlyPaths",
      `${word(source)}:${word(at)}`,
    ]),
  ];
}

function site(view: SiteView, version: string): readonly Declared[] {
  const { id, limits, enabled, webUser } = view;
  const name = `example-php-${word(id)}`;
  const command = `/usr/sbin/php-fpm${version} --nodaemonize --fpm-config ${pool(id)}`;
  return [
    file({
      path: pool(id),
      content: `[global]\nerror_log = syslog\n[${word(id)}]\nlisten = ${socket(id)}\npm = ondemand\npm.max_children = ${limits.phpWorkers}\n`,
    }),
    file({
      path: `/etc/systemd/system/${name}.socket`,
      content: `[Socket]\nListenStream=${socket(id)}\nSocketUser=${word(webUser)}\nSocketMode=0600\nRemoveOnStop=yes\n[Install]\nWantedBy=sockets.target\n`,
    }),
    file({
      path: `/etc/systemd/system/${name}.service`,
      content: `[Service]\nType=notify\nEnvironment=FPM_SOCKETS=${socket(id)}=3\nExecStart=${command}\n${sandbox(view)
        .map(([key, value]) => `${key}=${value}\n`)
        .join("")}`,
    }),
    unit({ name: `${name}.socket`, enabled, active: enabled }),
    // Started by its socket, so it does not matter whether it runs; of a disabled site it must not.
    unit({ name: `${name}.service`, enabled: false, active: enabled ? null : false }),
  ];
}

const versionOf = (options: unknown): string => (options as z.output<typeof Options>).version;

const role: PhpRole = {
  server: () => [directory({ path: "/etc/example-php" })],
  site: (view, { service }) => site(view, versionOf(service.options)),
  socket,
  sandbox,
  interpreter: (_view, { service }) => [`/usr/bin/php${versionOf(service.options)}`],
};

export const examplePhp: ServicePlugin<z.input<typeof Options>> = definePhpService({
  name: "example-php",
  contract: CONTRACT,
  type: "example-php",
  options: { version: 1, schema: Options },
  packages: ({ version }) => [`php${version}-fpm`, `php${version}-cli`, `php${version}-pgsql`],
  // Debian starts a master of its own that runs as the web server's user: prepare stops it when it installs it.
  unwantedUnits: ({ version }) => [{ package: `php${version}-fpm`, unit: `php${version}-fpm.service` }],
  facts: () => ({}),
  problems: () => [],
  role,
});
