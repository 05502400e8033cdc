import {
  resolveText,
  type Application,
  type DatabaseBinding,
  type BindingRequest,
  type Declared,
  type DriverCall,
  type PlatformDefinition,
  type PlatformPlugin,
  type Resolve,
  type ServerView,
  type ServiceDefinition,
  type ServicePlugin,
  type SiteSeed,
  type SiteView,
  type SourceReader,
} from "@hostwright/core/plugin";
import { spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Lacking } from "../check.ts";
import { hostAt, sh, type ExecResult, type Harness, type HostSet, type TestedHost } from "../hosts/host.ts";
import { SEED } from "../hostile.ts";
import type { RoleBench } from "./role-checks.ts";
import { PlacedSite } from "../runtime/placed-site.ts";
import { freeze, serviceOf, type CoreKinds } from "../subject.ts";
import { openTarget, secretOf } from "../resources/target.ts";
import { serverView, siteView } from "../views.ts";
import { Work } from "../resources/work.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- its options do not matter here
export type AnyService = ServicePlugin<any>;

/** A platform, with any php service and any database service that it can use. */
export interface PlatformSubject {
  // oxlint-disable-next-line typescript/no-explicit-any -- their options do not matter here
  readonly plugin: PlatformPlugin<any, any>;
  readonly php: AnyService;
  readonly database: AnyService;
  /** Its first host has both services, running. */
  readonly harness: Harness;
  /** Folder on this machine with a codebase of the platform as its sites would share it. */
  codebase(): Promise<string>;
  readonly version: RegExp;
  /** A site's options; default: none. */
  readonly siteOptions?: unknown;
  readonly lacking?: Lacking;
}

/** Written as shells, HTML, PHP and SQL would not like it. */
export const TITLE = `O'Neil "<b>x</b>" \\ $x %s ünï`;
export const PASSWORD = `mark-of-a-secret-7f3a p'"\\$x<&> %s`;

export interface Called {
  readonly code: number;
  /** The last line of its output, parsed; empty where it is no JSON object. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly result: ExecResult;
}

/** A platform on one host: its codebase as a release, and sites placed by hand from what its plugins render. */
export class PlatformBench implements RoleBench, AsyncDisposable {
  readonly subject: PlatformSubject;
  readonly definition: PlatformDefinition;
  readonly host: TestedHost;
  readonly php: ServiceDefinition<CoreKinds["php"]>;
  readonly phpView: ServerView;
  readonly site: PlacedSite;
  readonly #database: ServiceDefinition<CoreKinds["db"]>;
  readonly #databaseView: ServerView;
  readonly #set: HostSet;

  /** @param set its hosts, as a harness gives them; nothing is brought onto them yet. */
  constructor(subject: PlatformSubject, set: HostSet, id = "first", uid = 20_401) {
    this.subject = subject;
    this.#set = set;
    this.host = hostAt(set, 0);
    const [definition] = subject.plugin.platforms ?? [];
    if (definition === undefined) throw new Error(`${subject.plugin.name} brings no platform`);
    this.definition = definition;
    this.php = serviceOf(subject.php, "php");
    this.phpView = freeze(serverView(this.php));
    this.#database = serviceOf(subject.database, "db");
    this.#databaseView = freeze(serverView(this.#database));
    const view = this.viewOf(id, { uid, title: TITLE });
    this.site = new PlacedSite(this.host, view, this.php.role, this.phpView);
  }

  static async open(subject: PlatformSubject): Promise<PlatformBench> {
    process.stdout.write(`  drawn with HOSTWRIGHT_TEST_SEED=${SEED}\n`);
    const bench = new PlatformBench(subject, await subject.harness.reset(["web"]));
    const { layout } = bench.definition.role;
    const { root } = bench.site.view.platform;
    await bench.#push(await subject.codebase(), join(root, layout.sourceAt));
    for (const { path, kind } of layout.mountPoints)
      await sh(bench.host, `cd ${root} && ${kind === "file" ? "touch" : "mkdir -p"} ${path}`);
    await bench.ensure(bench.php.role.server(bench.phpView), bench.php.type);
    await bench.ensure(bench.#database.role.server(bench.#databaseView), bench.#database.type);
    await bench.place();
    return bench;
  }

  /** The same bench with another plugin, one that was broken on purpose, and a site of its own. */
  async with(plugin: PlatformSubject["plugin"], id: string, uid: number): Promise<PlatformBench> {
    const bench = new PlatformBench({ ...this.subject, plugin }, this.#set, id, uid);
    await bench.place();
    return bench;
  }

  readonly resolve: Resolve = (reference) =>
    reference.id.endsWith("/admin-password") ? PASSWORD : secretOf(reference);

  /** All of the site but the application itself. */
  async place(): Promise<void> {
    const { role } = this.definition;
    const { view } = this.site;
    await this.site.place(
      role.ownFolders(view).map(({ path }) => path),
      role.confFolders(view),
    );
    const { role: database, type } = this.#database;
    await this.ensure(database.site(this.#request(view.id), this.#databaseView), type);
    for (const { path, content } of role.settings(view))
      await this.site.write(path, resolveText(content, this.resolve));
    await sh(this.host, `mkdir -p /usr/local/lib/hostwright; cat > ${this.driver}`, this.application.driver.source);
    await this.ensure(this.php.role.site(view, this.phpView), this.php.type);
    const seed = this.application.seed(view);
    if (seed === null) return;
    const { code, result } = await this.call(seed);
    if (code !== 0) throw new Error(`the site could not be seeded: ${result.stdout}${result.stderr}`);
  }

  get driver(): string {
    return `/usr/local/lib/hostwright/${this.application.driver.name}`;
  }

  get application(): Application {
    const { application } = this.definition.role;
    if (application === undefined)
      throw new Error(`${this.definition.type} has no application: there is nothing to try`);
    return application;
  }

  get version(): RegExp {
    return this.subject.version;
  }

  seedOf(id: string): SiteSeed {
    return seedOf(this.definition, id, this.subject);
  }

  viewOf(id: string, change: Partial<SiteView> = {}): SiteView {
    const { role } = this.definition;
    const seed = this.seedOf(id);
    return siteView(id, {
      ...seed,
      aliases: [`www.${id}.test`],
      limits: { uploadMegabytes: 16, requestSeconds: 60, memoryMegabytes: 256, phpWorkers: 2 },
      binds: role.binds(seed),
      rules: role.webRules(seed),
      runtime: { kind: "php", protocol: "fastcgi", socket: this.php.role.socket(id), main: null },
      bindings: { db: this.#binding(id) },
      ...change,
    });
  }

  render(): unknown {
    const { role } = this.definition;
    const { install, status } = this.application;
    const view = freeze(this.viewOf("s1"));
    return [role.settings(view), role.binds(view), role.webRules(view), install(view), status(view)];
  }

  /** Runs a call of the driver as core does: in the site's sandbox, its input with secrets on standard input. */
  async call({ command, input, binds = [] }: DriverCall): Promise<Called> {
    const plain = Object.entries(input).map(([name, value]) => [
      name,
      typeof value === "object" ? this.resolve(value) : value,
    ]);
    const given = JSON.stringify({ command, ...(Object.fromEntries(plain) as Record<string, unknown>) });
    const result = await this.site.script(this.driver, given, binds);
    return { code: result.code, answer: parsed(result.stdout.trimEnd().split("\n").at(-1) ?? ""), result };
  }

  /** While its database service is stopped. */
  async withoutDatabase(use: () => Promise<void>): Promise<void> {
    const units = this.#database.role
      .server(this.#databaseView)
      .filter(({ type }) => type === "unit")
      .map(({ spec }) => (spec as { readonly name: string }).name);
    await sh(this.host, `systemctl stop ${units.toReversed().join(" ")}`);
    try {
      await use();
    } finally {
      await sh(this.host, `systemctl start ${units.join(" ")}`);
    }
  }

  /** The platform's settings with a value in the place of each secret and of the database's names. */
  settingsWith(value: string): ReturnType<PlatformDefinition["role"]["settings"]> {
    const view = this.viewOf("first", { title: value });
    const db = { ...this.#binding("first"), name: value, user: value };
    return this.definition.role.settings({ ...view, bindings: { ...view.bindings, db } });
  }

  /** Reads the codebase on this machine, as `detect` is given it. */
  async source(): Promise<SourceReader> {
    return readerOf(await this.subject.codebase());
  }

  async ensure(declared: readonly Declared[], type: string): Promise<void> {
    const options = {
      [type]: type === this.php.type ? this.phpView.service.options : this.#databaseView.service.options,
    };
    await using target = openTarget(this.host.server, { serviceOptions: options });
    const types = [...(this.subject.php.resourceTypes ?? []), ...(this.subject.database.resourceTypes ?? [])];
    await new Work(target, types).ensure(declared);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#set[Symbol.asyncDispose]();
  }

  #request(id: string): BindingRequest {
    const { secret } = siteView(id);
    return { siteId: id, domain: `${id}.test`, password: secret("db-password", "db password"), webHeads: ["local"] };
  }

  #binding(id: string): DatabaseBinding {
    return this.#database.role.binding(this.#request(id), this.#databaseView, null);
  }

  async #push(folder: string, to: string): Promise<void> {
    const packed = spawn("tar", ["-C", folder, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
    const script = 'mkdir -p "$1" && tar -C "$1" -x --no-same-owner && chmod -R go+rX "$1"';
    const { exitCode, stderr } = await this.host.server.script({
      script,
      args: [to],
      stdin: packed.stdout,
      timeoutMs: 300_000,
    });
    if (exitCode !== 0) throw new Error(`the codebase could not be put on the host: ${stderr}`);
  }
}

/** A site on a release of the platform, with options as records would hold them. */
export function seedOf(
  { type, options, siteOptions, role: { layout } }: PlatformDefinition,
  id: string,
  given: { readonly platformOptions?: unknown; readonly siteOptions?: unknown },
): SiteSeed {
  const root = "/srv/platforms/tested";
  const parsed = options.schema.parse(given.platformOptions ?? {});
  const platform = { id: "p1", name: "tested", type, root, docroot: join(root, layout.docroot), options: parsed };
  return { id, paths: siteView(id).paths, platform, options: siteOptions.schema.parse(given.siteOptions ?? {}) };
}

export function readerOf(folder: string): SourceReader {
  return {
    exists: async (path) =>
      stat(join(folder, path)).then(
        () => true,
        () => false,
      ),
    text: async (path) => readFile(join(folder, path), "utf8").catch(() => null),
  };
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
