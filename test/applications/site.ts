import {
  NO_OWN_RULES,
  resolveText,
  type Declared,
  type DriverCall,
  type RuntimeRole,
  type Application,
  type PlatformRole,
  type ServerView,
  type SiteView,
  type Text,
  type UnitProperty,
} from "@hostwright/core/plugin";
import type { TestHost } from "../hosts/hosts.ts";
import type { ExecResult } from "@hostwright/testing";

/** A site put on a host by hand, from nothing but what its plugins render: no engine in between. */
export interface PlacedSite {
  readonly view: SiteView;
  /** Runs a call of the platform's driver in the site's sandbox; its last line of output, parsed. */
  call(
    call: DriverCall,
  ): Promise<{ readonly code: number; readonly answer: Record<string, unknown>; readonly result: ExecResult }>;
  /** Runs any command in the site's sandbox. */
  run(argv: readonly string[], input?: string): Promise<ExecResult>;
  secrets: ReadonlyMap<string, string>;
}

export interface SiteSpec {
  readonly id: string;
  readonly uid: number;
  readonly domain: string;
  readonly title?: string;
  readonly options: unknown;
  /** Root of the release, already on the host. */
  readonly release: string;
  /** Secrets that are not simply made up. */
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface Plugins {
  readonly php: RuntimeRole;
  readonly platform: PlatformRole & { readonly application: Application };
  readonly server: ServerView;
}

export function serverView(options: unknown): ServerView {
  const service = { name: "php", kind: "php", type: "php-fpm", options };
  return { id: "srv", name: "web", addresses: [], services: [service], service, facts: {}, peers: [] };
}

function describe({ php, platform }: Plugins, spec: SiteSpec, secrets: Map<string, string>): SiteView {
  const { id, uid, domain, release, options } = spec;
  const home = `/srv/sites/${id}`;
  const paths = {
    home,
    conf: `${home}/conf`,
    public: `${home}/public`,
    private: `${home}/private`,
    tmp: `${home}/tmp`,
  };
  const docroot = `${release}/${platform.layout.docroot}`;
  const seed = { id, paths, options, platform: { id: "p", name: "p", type: "t", root: release, docroot, options: {} } };
  const secret: SiteView["secret"] = (name, label) => {
    if (!secrets.has(name)) secrets.set(name, spec.secrets?.[name] ?? `${name}-${crypto.randomUUID()}`);
    return { ref: "secret", id: name, label };
  };
  return {
    ...seed,
    uid,
    domain,
    user: id,
    aliases: [`www.${domain}`],
    aliasMode: "redirect",
    enabled: true,
    title: spec.title ?? "A title",
    adminEmail: "admin@example.com",
    adminUser: "admin",
    webUser: "www-data",
    runtime: { kind: "php", protocol: "fastcgi", socket: php.socket(id), main: null },
    secret,
    limits: { uploadMegabytes: 16, requestSeconds: 30, memoryMegabytes: 256, phpWorkers: 3 },
    binds: platform.binds(seed),
    rules: platform.webRules(seed),
    ownRules: NO_OWN_RULES,
    passwordFile: `${home}/conf/web-passwords`,
    bindings: {
      db: {
        protocol: "mysql",
        host: "localhost",
        port: null,
        socket: "/run/mysqld/mysqld.sock",
        name: id,
        user: id,
        password: secret("db-password", "db password"),
      },
    },
  };
}

const quoteShell = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

async function write(host: TestHost, path: string, content: string, owner: string, mode: string): Promise<void> {
  await host.sh(
    `f=${quoteShell(path)}; mkdir -p "$(dirname "$f")"; cat > "$f.new"; chown ${owner} "$f.new"; chmod ${mode} "$f.new"; mv "$f.new" "$f"`,
    { input: content },
  );
}

/** Brings files, folders and units there, as core would. */
export async function applyDeclared(host: TestHost, declared: readonly Declared[]): Promise<void> {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the shape once, at each use
  const specs = <Spec>(type: string): Spec[] =>
    declared.filter((one) => one.type === type).map((one) => one.spec as Spec);
  for (const { path, mode } of specs<{ path: string; mode: number }>("directory"))
    await host.sh(`install -d -m ${mode.toString(8)} ${quoteShell(path)}`);
  for (const { path, content, mode } of specs<{ path: string; content: Text; mode: number }>("file")) {
    await write(
      host,
      path,
      resolveText(content, () => ""),
      "root:root",
      mode.toString(8),
    );
  }
  await host.sh("systemctl daemon-reload");
  for (const { name, enabled, active } of specs<{ name: string; enabled: boolean; active: boolean | null }>("unit")) {
    if (enabled) await host.sh(`systemctl -q enable ${name}`);
    if (active !== null) await host.sh(`systemctl ${active ? "restart" : "stop"} ${name}`);
  }
}

async function makeTree(host: TestHost, { platform }: Plugins, view: SiteView): Promise<void> {
  const { paths, user, uid } = view;
  const mounts = platform.layout.mountPoints
    .map(({ path, kind }) => `${kind === "file" ? "touch" : "mkdir -p"} ${view.platform.root}/${path}`)
    .join("\n");
  await host.sh(`set -e
${mounts}
groupadd -g ${uid} ${user}; useradd -M -N -u ${uid} -g ${uid} -d ${paths.home} -s /usr/sbin/nologin ${user}; usermod -aG ${user} www-data
install -d -m 755 /srv/sites; install -d -m 750 -o root -g ${user} ${paths.home} ${paths.conf} ${paths.public}; install -d -m 700 -o ${user} -g ${user} ${paths.private} ${paths.tmp}`);
  for (const folder of platform.confFolders(view))
    await host.sh(`install -d -m 750 -o root -g ${user} ${paths.conf}/${folder}`);
  for (const { path } of platform.ownFolders(view)) {
    const parents = path
      .split("/")
      .map((_, index, all) => all.slice(0, index + 1).join("/"))
      .slice(0, -1);
    for (const parent of parents) await host.sh(`install -d -m 750 -o root -g ${user} ${paths.public}/${parent}`);
    await host.sh(`install -d -m 750 -o ${user} -g ${user} ${paths.public}/${path}`);
  }
}

/** Puts a site on a host: user, tree, database, settings, PHP unit, driver. Nothing of the application is installed. */
export async function placeSite(host: TestHost, plugins: Plugins, spec: SiteSpec): Promise<PlacedSite> {
  const { php, platform, server } = plugins;
  const secrets = new Map<string, string>();
  const view = describe(plugins, spec, secrets);
  const resolve = ({ id }: { readonly id: string }): string => secrets.get(id) ?? "";
  const driver = `/usr/local/lib/hostwright/${platform.application.driver.name}`;
  await makeTree(host, plugins, view);
  await host.sh("mariadb", {
    input: `create database ${view.id} character set utf8mb4; create user ${view.id}@localhost identified by '${secrets.get("db-password") ?? ""}'; grant all on ${view.id}.* to ${view.id}@localhost;`,
  });
  for (const { path, content } of platform.settings(view))
    await write(host, `${view.paths.conf}/${path}`, resolveText(content, resolve), `${view.user}:root`, "0400");
  await host.sh(`find ${view.paths.conf} -type d -exec chmod 750 {} + -exec chgrp ${view.user} {} +`);
  await write(host, driver, platform.application.driver.source, "root:root", "0644");
  await applyDeclared(host, php.site(view, server));

  const transient = async (
    argv: readonly string[],
    input: string,
    extra: readonly UnitProperty[],
  ): Promise<ExecResult> => {
    const properties = [...php.sandbox(view, server), ...extra].flatMap(([name, value]) => ["-p", `${name}=${value}`]);
    return host.exec(["systemd-run", "--quiet", "--wait", "--pipe", "--collect", ...properties, "--", ...argv], {
      input,
    });
  };
  return {
    view,
    secrets,
    run: async (argv, input = "") => transient(argv, input, []),
    async call({ command, input, binds = [] }) {
      const plain = Object.fromEntries(
        Object.entries(input).map(([name, value]) => [name, typeof value === "object" ? resolve(value) : value]),
      );
      const extra = binds.map(({ source, at, writable }): UnitProperty => [
        writable ? "BindPaths" : "BindReadOnlyPaths",
        `${source}:${at}`,
      ]);
      const result = await transient(
        [...php.interpreter(view, server), driver],
        JSON.stringify({ command, ...plain }),
        extra,
      );
      const last = result.stdout.trim().split("\n").at(-1) ?? "";
      return { code: result.code, answer: JSON.parse(last === "" ? "{}" : last) as Record<string, unknown>, result };
    },
  };
}
