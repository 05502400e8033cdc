import {
  NO_OWN_RULES,
  type Entry,
  type OwnRules,
  type ServerView,
  type ServiceDefinition,
  type ServicePlugin,
  type SiteView,
} from "@hostwright/core/plugin";
import { hashPassword, publish, type PublishOptions, type PublishResult } from "@hostwright/core/testing";
import type { Lacking } from "../check.ts";
import { hostAt, sh, type Harness, type HostSet, type TestedHost } from "../hosts/host.ts";
import { SEED } from "../hostile.ts";
import { PROGRAM, PROGRAM_SOCKET } from "./http-program.ts";
import { drupalRules, ECHO, ownRules, pool, programRules, tree, wordpressRules } from "./http-samples.ts";
import { freeze, serviceOf, type CoreKinds } from "../subject.ts";
import { openTarget } from "../resources/target.ts";
import { serverView, siteView } from "../views.ts";
import type { WatchedServer } from "../hosts/watched-server.ts";
import { Work, type Compared } from "../resources/work.ts";

export interface ConfigFile {
  /** Absolute path where the web server loads it, outside of the plugin's folders. */
  readonly path: string;
  readonly content: string;
}

/** An http service, and what a person may have put beside it. */
export interface HttpSubject {
  // oxlint-disable-next-line typescript/no-explicit-any -- its options do not matter here
  readonly plugin: ServicePlugin<any>;
  /** Debian 13 with PHP 8.4's php-fpm installed beside what the plugin names. */
  readonly harness: Harness;
  /** Default: none. The service must answer on port 80. */
  readonly options?: unknown;
  /** Path of the log in which each request's line begins with the main domain of its site, whatever name was asked for. */
  readonly log: string;
  /** Debian's own stock site, which answers for names that nobody serves: removed by this shell script. */
  readonly removeStockSite: string;
  /** A good site of somebody else for two names. */
  foreignSite(name: string, other: string): ConfigFile;
  /** A file of somebody else that the web server refuses. */
  readonly broken: ConfigFile;
  /** Content of an entry that the web server refuses. */
  readonly brokenEntry: string;
  readonly lacking?: Lacking;
}

export interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

const [redirect] = ownRules.redirects;
const redirects = redirect === undefined ? [] : [redirect];
const ofOwner = (id: string, change: Partial<OwnRules>): SiteView =>
  siteView(id, { rules: wordpressRules, ownRules: { ...NO_OWN_RULES, redirects, ...change } });

const ofProgram = (id: string, change: Partial<OwnRules> = {}): SiteView =>
  siteView(id, {
    rules: programRules,
    runtime: { kind: "program", protocol: "http", socket: PROGRAM_SOCKET, main: "/srv/program" },
    ownRules: { ...NO_OWN_RULES, ...change },
  });

/** Users of the site that asks for a password, and theirs. */
export const MEMBERS: Readonly<Record<string, string>> = { anna: 'a pass:word "\u00e9', bert: "another-one" };

/**
 * Sites of the suite: like WordPress, like Drupal, disabled, with rules of its own, with a password, for some addresses; and
 * programs, one of them with rules and a password.
 */
export const sampleSites: readonly SiteView[] = [
  siteView("wordpress", { rules: wordpressRules }),
  siteView("drupal", { rules: drupalRules, aliasMode: "serve" }),
  siteView("closed", { rules: wordpressRules, enabled: false }),
  siteView("ruled", { rules: wordpressRules, ownRules }),
  ofOwner("locked", { basicAuth: { realm: "Members, only", users: Object.keys(MEMBERS) } }),
  ofOwner("listed", { allowFrom: ["127.7.0.0/16", "192.0.2.1", "2001:db8::/32"] }),
  ofProgram("program"),
  ofProgram("members", {
    basicAuth: { realm: "Members", users: Object.keys(MEMBERS) },
    headers: [{ name: "X-App", value: "own" }],
    denied: [{ prefix: "/closed/" }],
    redirects,
  }),
].map(freeze);

/** An http service on one host with the sites of the table, published as the engine does. */
export class HttpBench implements AsyncDisposable {
  readonly subject: HttpSubject;
  readonly definition: ServiceDefinition<CoreKinds["http"]>;
  readonly host: TestedHost;
  readonly view: ServerView;
  readonly #set: HostSet;
  /** How the host was before the service's own resources, and what brought them there. */
  fresh = "";
  made: readonly Compared[] = [];
  /** What the plugin of `with` changed, taken back before the next one. */
  #others: readonly Compared[] = [];

  /** @param set its hosts, as a harness gives them; nothing is brought onto them yet. */
  constructor(subject: HttpSubject, set: HostSet) {
    this.subject = subject;
    this.#set = set;
    this.host = hostAt(set, 0);
    this.definition = serviceOf(subject.plugin, "http");
    this.view = freeze(serverView(this.definition, subject.options));
  }

  static async open(subject: HttpSubject): Promise<HttpBench> {
    process.stdout.write(`  drawn with HOSTWRIGHT_TEST_SEED=${SEED}\n`);
    const bench = new HttpBench(subject, await subject.harness.reset(["web"]));
    const { host } = bench;
    await sh(host, tree(sampleSites.map(({ id }) => id)));
    for (const { ownRules: own, passwordFile } of sampleSites) {
      if (own.basicAuth === null) continue;
      const lines = own.basicAuth.users.map((user) => `${user}:${hashPassword(MEMBERS[user] ?? "")}\n`);
      const script = `cat > ${passwordFile} && chgrp ${bench.definition.role.webUser} ${passwordFile} && chmod 640 ${passwordFile}`;
      await sh(host, script, lines.join(""));
    }
    await sh(host, "cat > /srv/echo.php", ECHO);
    await sh(host, "cat > /srv/program.pl", PROGRAM);
    await sh(
      host,
      "systemd-run --quiet --unit=tested-program --property=User=www-data --property=RuntimeDirectory=tested-program --property=Restart=always perl /srv/program.pl",
    );
    await sh(host, "cat > /etc/php/8.4/fpm/pool.d/sites.conf", sampleSites.map(({ id }) => pool(id)).join(""));
    await sh(host, "systemctl restart php8.4-fpm");
    bench.fresh = await bench.snapshot();
    await bench.withTarget(async (work) => {
      bench.made = await work.ensure(bench.definition.role.server(bench.view));
    });
    await bench.put(sampleSites.flatMap((site) => [...bench.definition.role.site(site, bench.view)]));
    await bench.publish();
    return bench;
  }

  /** The same bench with another plugin, one that was broken on purpose: what it changes on the server, and its sites, are put in force. */
  async with(plugin: HttpSubject["plugin"]): Promise<HttpBench> {
    const bench = new HttpBench({ ...this.subject, plugin }, this.#set);
    await bench.withTarget(async (work) => {
      await work.undo(this.#others);
      this.#others = await work.ensure(bench.definition.role.server(bench.view));
    });
    await bench.put(sampleSites.flatMap((site) => [...bench.definition.role.site(site, bench.view)]));
    await this.publish();
    return bench;
  }

  get entries(): string {
    return `${this.definition.role.publication.root}/entries`;
  }

  async withTarget<T>(use: (work: Work) => Promise<T>, server?: WatchedServer): Promise<T> {
    await using target = openTarget(server ?? this.host.server);
    return await use(new Work(target, this.subject.plugin.resourceTypes ?? []));
  }

  /** Entries as their tasks leave them, root's alone, not in force yet. */
  async put(entries: readonly Entry[]): Promise<void> {
    for (const { name, content } of entries) {
      const path = `${this.entries}/${name}`;
      await sh(this.host, `umask 027; cat > ${path}; chmod 640 ${path}`, content);
    }
  }

  async take(...names: readonly string[]): Promise<void> {
    for (const name of names) await sh(this.host, `rm -f ${this.entries}/${name}`);
  }

  async publish(options: PublishOptions = {}, server?: WatchedServer): Promise<PublishResult> {
    return this.withTarget(async ({ target }) => publish(target, this.definition.role.publication, options), server);
  }

  async configTest(): Promise<{ readonly code: number; readonly said: string }> {
    const { code, stdout, stderr } = await this.host.exec(this.definition.role.publication.test);
    return { code, said: stdout + stderr };
  }

  /** A request on the host itself, its path exactly as it is written. */
  async get(name: string, path: string, ...flags: readonly string[]): Promise<Answer> {
    const url = `http://127.0.0.1:${this.definition.role.port(this.view)}${path}`;
    const curl = ["curl", "-sS", "-m", "10", "-i", "--path-as-is", "-H", `Host: ${name}`, ...flags, url];
    const { stdout } = await this.host.exec(curl);
    const end = stdout.indexOf("\r\n\r\n");
    const headers = stdout.slice(0, end + 2);
    return { status: Number(/^HTTP\/\S+ (\d+)/.exec(headers)?.[1]), headers, body: stdout.slice(end + 4) };
  }

  /** The generation in force, as the service tells. */
  async generation(): Promise<number> {
    const { status } = this.definition.role.publication;
    const argv =
      "command" in status ? status.command : ["curl", "-sS", `http://127.0.0.1:${status.port}${status.path}`];
    return Number(/\d+/.exec((await this.host.exec(argv)).stdout)?.[0]);
  }

  /** All files, links and units that a service could leave behind. */
  async snapshot(): Promise<string> {
    const { unit } = this.definition.role.publication;
    return sh(
      this.host,
      `cd /; find etc usr/local var/lib/hostwright* -xdev -printf '%p %y %m %u %g %l\\n' 2>/dev/null | grep -v 'etc/systemd/system ' | sort
      find etc usr/local -xdev -type f -exec sha256sum {} + | sort -k2; systemctl is-enabled ${unit} || true; systemctl is-active ${unit} || true`,
    );
  }

  render(): unknown {
    const { role } = this.definition;
    return [
      role.server(this.view),
      sampleSites.map((site) => role.site(site, this.view)),
      role.publication.statusEntry(7),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#set[Symbol.asyncDispose]();
  }
}
