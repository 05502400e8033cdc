import type {
  Declared,
  RuntimeRole,
  ServerView,
  ServiceDefinition,
  ServicePlugin,
  SiteView,
} from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import { dirname } from "node:path";
import type { Lacking } from "../check.ts";
import { hostAt, sh, type Harness, type HostSet, type TestedHost } from "../hosts/host.ts";
import { SEED } from "../hostile.ts";
import type { RuntimeLanguage } from "./language.ts";
import { PlacedSite } from "./placed-site.ts";
import type { Drift, ResourceBench } from "../resources/resource-bench.ts";
import { freeze, runtimeOf } from "../subject.ts";
import { openTarget } from "../resources/target.ts";
import { serverView, siteView } from "../views.ts";
import { Work } from "../resources/work.ts";

/** A service that runs the code of sites. */
export interface RuntimeSubject {
  // oxlint-disable-next-line typescript/no-explicit-any -- its options do not matter here
  readonly plugin: ServicePlugin<any>;
  /** What the code of its sites is written in: `phpLanguage`, `nodeLanguage`, or one of your own. */
  readonly language: RuntimeLanguage;
  readonly harness: Harness;
  /** Default: none. */
  readonly options?: unknown;
  readonly lacking?: Lacking;
}

export const PROBE = "/srv/platforms/probe";

/** A runtime on one host, with two sites of one release. */
export class RuntimeBench implements ResourceBench, AsyncDisposable {
  readonly subject: RuntimeSubject;
  readonly definition: ServiceDefinition<RuntimeRole>;
  readonly language: RuntimeLanguage;
  readonly host: TestedHost;
  readonly view: ServerView;
  readonly types: ResourceBench["types"];
  readonly serviceOptions: ResourceBench["serviceOptions"];
  readonly logs = "journalctl --no-pager -n 2000";
  readonly one: PlacedSite;
  readonly two: PlacedSite;
  readonly #set: HostSet;
  #made: number;

  /** @param set its hosts, as a harness gives them; nothing is brought onto them yet. */
  constructor(subject: RuntimeSubject, set: HostSet, made = 0) {
    this.subject = subject;
    this.#set = set;
    this.#made = made;
    this.host = hostAt(set, 0);
    this.definition = runtimeOf(subject.plugin);
    this.language = subject.language;
    this.view = freeze(serverView(this.definition, subject.options));
    this.types = subject.plugin.resourceTypes ?? [];
    this.serviceOptions = { [this.definition.type]: this.view.service.options };
    this.one = this.placed("one", 20_301);
    this.two = this.placed("two", 20_302);
  }

  static async open(subject: RuntimeSubject): Promise<RuntimeBench> {
    process.stdout.write(`  drawn with HOSTWRIGHT_TEST_SEED=${SEED}\n`);
    const bench = new RuntimeBench(subject, await subject.harness.reset(["web"]));
    await sh(bench.host, `mkdir -p ${PROBE}/web/own /srv/platforms/other`);
    for (const [path, content] of Object.entries(bench.language.files)) {
      const file = `${PROBE}/${path}`;
      await sh(bench.host, `mkdir -p ${dirname(file)}; cat > ${file}`, content);
    }
    await bench.ensure(bench.definition.role.server(bench.view));
    for (const site of [bench.one, bench.two]) await bench.place(site);
    await bench.ensure(bench.sites());
    return bench;
  }

  /** The same bench with another plugin, one that was broken on purpose: its sites are rendered anew. */
  async with(plugin: RuntimeSubject["plugin"], from: number): Promise<RuntimeBench> {
    const bench = new RuntimeBench({ ...this.subject, plugin }, this.#set, from);
    await bench.ensure(bench.sites());
    return bench;
  }

  sites(): readonly Declared[] {
    return [this.one, this.two].flatMap((site) => [...this.declared(site)]);
  }

  /** What runs a site's code. */
  declared({ view }: PlacedSite): readonly Declared[] {
    return this.definition.role.site(view, this.view);
  }

  placed(id: string, uid: number): PlacedSite {
    return new PlacedSite(this.host, this.site(id, { uid }), this.definition.role, this.view);
  }

  /** A site's user, folders, settings, and a file that is nobody else's. */
  async place(site: PlacedSite): Promise<void> {
    await site.place(["own"]);
    const { paths, user } = site.view;
    await sh(this.host, `echo secret > ${paths.private}/secret; chown ${user} ${paths.private}/secret`);
    await site.write("settings.php", "<?php // of this site alone");
  }

  /** A site of the probe, with a folder of its own within the release and a file that it may only read. */
  site(id: string, change: Partial<SiteView> = {}, root: string = PROBE): SiteView {
    const { platform, paths } = siteView(id);
    const { kind, role } = this.definition;
    const main = this.language.program === null ? null : `${root}/${this.language.program.main}`;
    return siteView(id, {
      platform: { ...platform, root, docroot: `${root}/web` },
      limits: { uploadMegabytes: 16, requestSeconds: 30, memoryMegabytes: 192, phpWorkers: 3 },
      runtime: { kind, protocol: role.protocol, socket: role.socket(id), main },
      binds: [{ source: `${paths.public}/own`, at: `${root}/web/own`, writable: true }],
      ...change,
    });
  }

  async ensure(declared: readonly Declared[]): Promise<void> {
    await using target = openTarget(this.host.server, { serviceOptions: this.serviceOptions });
    await new Work(target, this.types).ensure(declared);
  }

  newId(): string {
    this.#made += 1;
    return `s${this.#made}x`;
  }

  sample(id: string): readonly Declared[] {
    return this.definition.role.site(this.site(id), this.view);
  }

  drifts(id: string): readonly Drift[] {
    return this.sample(id).flatMap(({ type, spec }): Drift[] => {
      const { path, name, active } = spec as { path?: string; name?: string; active?: boolean | null };
      if (type === "file") return [{ what: `another ${path ?? ""}`, script: `echo '; drift' >> ${path ?? ""}` }];
      if (type !== "unit" || active !== true) return [];
      return [{ what: `a stopped ${name ?? ""}`, script: `systemctl stop ${name ?? ""}` }];
    });
  }

  async snapshot(): Promise<string> {
    return sh(
      this.host,
      `cd /; find etc usr/local -xdev -printf '%p %y %m %u %g %l\\n' | grep -v '^etc/systemd/system ' | sort
      find etc usr/local -xdev -type f -exec sha256sum {} + | sort -k2
      systemctl list-units --all --plain --no-legend --state=active,failed '*s[0-9]*x*' | awk '{ print $1, $3 }'`,
    );
  }

  /** The value of an expression, worked out by a site's code as its web server asks it. */
  async inside(site: PlacedSite, expression: string): Promise<unknown> {
    const { body, status } = await site.ask("/", { body: expression });
    assert.equal(status, 200, body);
    return JSON.parse(body) as unknown;
  }

  /** The same by a command of the site. */
  async inCommand(site: PlacedSite, expression: string): Promise<unknown> {
    const interpreter = this.definition.role.interpreter(site.view, this.view);
    const { code: exit, stdout, stderr } = await site.run([...interpreter, ...this.language.evaluating(expression)]);
    assert.equal(exit, 0, stderr);
    return JSON.parse(stdout) as unknown;
  }

  render(): unknown {
    const { role } = this.definition;
    const view = freeze(this.site("s1"));
    return [
      role.server(this.view),
      role.site(view, this.view),
      role.sandbox(view, this.view),
      role.interpreter(view, this.view),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#set[Symbol.asyncDispose]();
  }
}
