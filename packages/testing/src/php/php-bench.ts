import type { Declared, ServerView, ServiceDefinition, ServicePlugin, SiteView } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import type { Lacking } from "../check.ts";
import { hostAt, sh, type Harness, type HostSet, type TestedHost } from "../hosts/host.ts";
import { SEED } from "../hostile.ts";
import { PlacedSite } from "./placed-site.ts";
import type { Drift, ResourceBench } from "../resources/resource-bench.ts";
import { freeze, serviceOf, type CoreKinds } from "../subject.ts";
import { openTarget } from "../resources/target.ts";
import { serverView, siteView } from "../views.ts";
import { Work } from "../resources/work.ts";

/** A php service. */
export interface PhpSubject {
  // oxlint-disable-next-line typescript/no-explicit-any -- its options do not matter here
  readonly plugin: ServicePlugin<any>;
  readonly harness: Harness;
  /** Default: none. */
  readonly options?: unknown;
  readonly lacking?: Lacking;
}

export const PROBE = "/srv/platforms/probe";

/** An application that is one script: it evaluates what it is sent, as a hostile owner's code would. */
const INDEX = `<?php error_reporting(0); $value = eval('return ' . file_get_contents('php://input') . ';');
echo json_encode($value, JSON_PARTIAL_OUTPUT_ON_ERROR);`;

/** A php service on one host, with two sites of one release. */
export class PhpBench implements ResourceBench, AsyncDisposable {
  readonly subject: PhpSubject;
  readonly definition: ServiceDefinition<CoreKinds["php"]>;
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
  constructor(subject: PhpSubject, set: HostSet, made = 0) {
    this.subject = subject;
    this.#set = set;
    this.#made = made;
    this.host = hostAt(set, 0);
    this.definition = serviceOf(subject.plugin, "php");
    this.view = freeze(serverView(this.definition, subject.options));
    this.types = subject.plugin.resourceTypes ?? [];
    this.serviceOptions = { [this.definition.type]: this.view.service.options };
    this.one = this.placed("one", 20_301);
    this.two = this.placed("two", 20_302);
  }

  static async open(subject: PhpSubject): Promise<PhpBench> {
    process.stdout.write(`  drawn with HOSTWRIGHT_TEST_SEED=${SEED}\n`);
    const bench = new PhpBench(subject, await subject.harness.reset(["web"]));
    await sh(bench.host, `mkdir -p ${PROBE}/web/own /srv/platforms/other; cat > ${PROBE}/web/index.php`, INDEX);
    for (const site of [bench.one, bench.two]) {
      await site.place(["own"]);
      const { paths, user } = site.view;
      await sh(bench.host, `echo secret > ${paths.private}/secret; chown ${user} ${paths.private}/secret`);
      await site.write("settings.php", "<?php // of this site alone");
    }
    await bench.ensure(bench.definition.role.server(bench.view));
    await bench.ensure(bench.sites());
    return bench;
  }

  /** The same bench with another plugin, one that was broken on purpose: its sites are rendered anew. */
  async with(plugin: PhpSubject["plugin"], from: number): Promise<PhpBench> {
    const bench = new PhpBench({ ...this.subject, plugin }, this.#set, from);
    await bench.ensure(bench.sites());
    return bench;
  }

  sites(): readonly Declared[] {
    const { role } = this.definition;
    return [this.one, this.two].flatMap(({ view }) => [...role.site(view, this.view)]);
  }

  placed(id: string, uid: number): PlacedSite {
    return new PlacedSite(this.host, this.site(id, { uid }), this.definition.role, this.view);
  }

  /** A site of the probe, with a folder of its own within the release and a file that it may only read. */
  site(id: string, change: Partial<SiteView> = {}): SiteView {
    const { platform, paths } = siteView(id);
    return siteView(id, {
      platform: { ...platform, root: PROBE, docroot: `${PROBE}/web` },
      limits: { uploadMegabytes: 16, requestSeconds: 30, memoryMegabytes: 192, phpWorkers: 3 },
      runtime: { kind: "php", protocol: "fastcgi", socket: this.definition.role.socket(id), main: null },
      binds: [{ source: `${paths.public}/own`, at: `${PROBE}/web/own`, writable: true }],
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

  /** The value of a PHP expression, worked out by a site's PHP as its web server asks it. */
  async inside(site: PlacedSite, expression: string): Promise<unknown> {
    const { body, status } = await site.ask("/", { body: expression });
    assert.equal(status, 200, body);
    return JSON.parse(body) as unknown;
  }

  /** The same by a command of the site. */
  async inCommand(site: PlacedSite, expression: string): Promise<unknown> {
    const interpreter = this.definition.role.interpreter(site.view, this.view);
    const code = `error_reporting(0); echo json_encode(${expression}, JSON_PARTIAL_OUTPUT_ON_ERROR);`;
    const { code: exit, stdout, stderr } = await site.run([...interpreter, "-r", code]);
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
