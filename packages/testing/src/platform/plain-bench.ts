import { createHostwright, install, verify, type Hostwright, type SiteRecord } from "@hostwright/core";
import type {
  PlatformDefinition,
  PlatformPlugin,
  RuntimeView,
  SiteSeed,
  SiteView,
  SourceReader,
} from "@hostwright/core/plugin";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Lacking } from "../check.ts";
import { hostAt, sh, type Harness, type HostSet, type TestedHost } from "../hosts/host.ts";
import { SECRET_MARK } from "../resources/target.ts";
import { freeze, runtimeOf } from "../subject.ts";
import { siteView } from "../views.ts";
import { readerOf, seedOf, type AnyService } from "./platform-bench.ts";
import type { RoleBench } from "./role-checks.ts";

/** A platform without an application, with any web server and, where it needs one, a runtime. */
export interface PlainPlatformSubject {
  // oxlint-disable-next-line typescript/no-explicit-any -- their options do not matter here
  readonly plugin: PlatformPlugin<any, any>;
  readonly http: AnyService;
  readonly runtime?: AnyService;
  /** Its first host has both installed; the web server runs. `TestedHost.connect` is needed. */
  readonly harness: Harness;
  /** A codebase: texts by their paths. */
  readonly source: Readonly<Record<string, string>>;
  readonly version: RegExp;
  /** What some URLs answer, by their paths; the whole text. */
  pages(domain: string): Readonly<Record<string, string>>;
  readonly platformOptions?: unknown;
  /** A site's options; default: none. */
  readonly siteOptions?: unknown;
  readonly lacking?: Lacking;
}

export const SERVER = "web1";
export const PLATFORM = "tested";
export const DOMAIN = "one.example.com";
/** What nobody may see, below the folder that URLs map to. */
export const HIDDEN: readonly string[] = [".env", ".git/config", "old.php", "dump.sql"];
/** Beside that folder, where the release has one of its own for it. */
export const BESIDE = "beside.txt";

export interface Page {
  readonly status: number;
  readonly body: string;
}

/** A platform on one host, its release and a site brought there by core's own tasks. */
export class PlainBench implements RoleBench, AsyncDisposable {
  readonly subject: PlainPlatformSubject;
  readonly definition: PlatformDefinition;
  readonly host: TestedHost;
  readonly hw: Hostwright;
  readonly #set: HostSet;
  readonly #folder: string;

  private constructor(subject: PlainPlatformSubject, set: HostSet, folder: string, hw: Hostwright) {
    this.subject = subject;
    this.#set = set;
    this.#folder = folder;
    this.hw = hw;
    this.host = hostAt(set, 0);
    this.definition = definitionOf(subject.plugin);
  }

  static async open(subject: PlainPlatformSubject): Promise<PlainBench> {
    const set = await subject.harness.reset([SERVER]);
    const { connect } = hostAt(set, 0);
    if (connect === undefined) throw new Error("the harness does not say how core reaches its hosts: `connect`");
    const folder = await mkdtemp(join(tmpdir(), "hostwright-plain-"));
    const used = [subject.http, ...(subject.runtime === undefined ? [] : [subject.runtime])];
    const hw = await createHostwright({ stateDir: join(folder, "state"), plugins: [...used, subject.plugin] });
    const bench = new PlainBench(subject, set, folder, hw);
    await bench.#write();
    await hw.servers.put({ name: SERVER, connect, services: used.map((plugin) => plugin.service()) });
    const source = { path: bench.codebase };
    await hw.platforms.put({ name: PLATFORM, server: SERVER, type: bench.type, source });
    for (const alias of [SERVER, `@${PLATFORM}`]) await hw.run(verify(alias));
    await bench.install(DOMAIN);
    return bench;
  }

  get version(): RegExp {
    return this.subject.version;
  }

  /** Folder on this machine. */
  get codebase(): string {
    return join(this.#folder, "source");
  }

  get type(): ReturnType<PlainPlatformSubject["plugin"]["platform"]> {
    return this.subject.plugin.platform(this.subject.platformOptions ?? {});
  }

  async install(domain: string): Promise<SiteRecord> {
    const options = this.subject.plugin.site(this.subject.siteOptions ?? {});
    await this.hw.run(install(domain, { platform: PLATFORM, options }));
    return this.hw.sites.get(domain);
  }

  async source(): Promise<SourceReader> {
    return readerOf(this.codebase);
  }

  seedOf(id: string): SiteSeed {
    return seedOf(this.definition, id, this.subject);
  }

  viewOf(id: string): SiteView {
    const { role } = this.definition;
    const seed = this.seedOf(id);
    const runtime = this.#runtime(id, seed);
    return siteView(id, { ...seed, binds: role.binds(seed), rules: role.webRules(seed), runtime, bindings: {} });
  }

  render(): unknown {
    const { role } = this.definition;
    const view = freeze(this.viewOf("s1"));
    return [role.settings(view), role.binds(view), role.webRules(view), role.ownFolders(view), role.main?.(view)];
  }

  /** A page as a visitor gets it, its path exactly as it is written. */
  async page(domain: string, path: string): Promise<Page> {
    const flags = ["-sS", "-m", "30", "--path-as-is", "-w", "\n%{http_code}", "-H", `Host: ${domain}`];
    const { stdout } = await this.host.exec(["curl", ...flags, `http://127.0.0.1${path}`]);
    const end = stdout.lastIndexOf("\n");
    return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
  }

  /** What verify would do, of whatever it is asked about. */
  async left(subject: string): Promise<readonly string[]> {
    return (await this.hw.plan(verify(subject))).actions.map(({ title }) => title);
  }

  async sh(script: string): Promise<string> {
    return sh(this.host, script);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hw[Symbol.asyncDispose]();
    await this.#set[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #runtime(id: string, { platform: { root }, ...seed }: SiteSeed): RuntimeView | null {
    if (this.subject.runtime === undefined) return null;
    const { kind, role } = runtimeOf(this.subject.runtime);
    const main = this.definition.role.main?.({ ...seed, platform: this.seedOf(id).platform }) ?? null;
    const path = main === null ? null : join(root, main);
    return { kind, protocol: role.protocol, socket: role.socket(id), main: path };
  }

  async #write(): Promise<void> {
    const { docroot, sourceAt } = this.definition.role.layout;
    const within = docroot === sourceAt ? "" : docroot;
    const hidden = Object.fromEntries(HIDDEN.map((path) => [join(within, path), SECRET_MARK]));
    const beside = within === "" ? {} : { [BESIDE]: SECRET_MARK };
    for (const [path, content] of Object.entries({ ...this.subject.source, ...hidden, ...beside })) {
      const file = join(this.codebase, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
}

function definitionOf({ name, platforms = [] }: PlainPlatformSubject["plugin"]): PlatformDefinition {
  const [definition] = platforms;
  if (definition === undefined) throw new Error(`${name} brings no platform`);
  if (definition.role.application !== undefined) throw new Error(`${name} has an application: platformConformance`);
  return definition;
}
