import type {
  DatabaseBinding,
  DatabaseRequest,
  Declared,
  ServerView,
  ServiceDefinition,
  ServicePlugin,
} from "@hostwright/core";
import type { Lacking } from "./check.ts";
import { hostAt, type Harness, type HostSet, type TestedHost } from "./host.ts";
import { SEED } from "./hostile.ts";
import type { Drift, ResourceBench } from "./resource-bench.ts";
import { freeze, serviceOf } from "./subject.ts";
import { openTarget } from "./target.ts";
import { serverViewOf } from "./views.ts";
import { Work } from "./work.ts";

/** What a statement came to, as the site's own program is told. */
export interface Said {
  readonly ok: boolean;
  /** Rows, or the server's refusal. */
  readonly text: string;
}

/** A database service, and how it is judged: by its own command line, never by the plugin. */
export interface DatabaseSubject {
  // oxlint-disable-next-line typescript/no-explicit-any -- its options do not matter here
  readonly plugin: ServicePlugin<any>;
  readonly harness: Harness;
  /** Options under which web heads on other machines reach the server at its address. */
  options(address: string): unknown;
  /** Logs in from a host as a site's program does, and runs a statement. The password goes as it is. */
  login(from: TestedHost, binding: DatabaseBinding, password: string, statement: string): Promise<Said>;
  /** All accounts, rights, databases and rules on the host, as text, read past the plugin. */
  snapshot(host: TestedHost): Promise<string>;
  /** Puts there what `drifts` needs beside it, once. Default: nothing. */
  prepare?(host: TestedHost): Promise<void>;
  /** What somebody else may do to a site's account and database. */
  drifts(id: string): readonly Drift[];
  /** Statements that a site's account must be refused, `other` being another site's name. */
  forbidden(other: string): readonly string[];
  /** What the server says to a wrong login, and to a statement without the right. */
  readonly refused: RegExp;
  /** Shell script that prints the service's logs. */
  readonly logs: string;
  /** Shell scripts that stop and start the service. */
  readonly stop: string;
  readonly start: string;
  readonly lacking?: Lacking;
}

/** A database service on one host and a web head on another. */
export class DatabaseBench implements ResourceBench, AsyncDisposable {
  readonly subject: DatabaseSubject;
  readonly definition: Extract<ServiceDefinition, { kind: "db" }>;
  readonly host: TestedHost;
  readonly webHead: TestedHost;
  readonly view: ServerView;
  readonly #set: HostSet;
  #made = 0;

  /** @param set its hosts, as a harness gives them; nothing is brought onto them yet. */
  constructor(subject: DatabaseSubject, set: HostSet, plugin: DatabaseSubject["plugin"] = subject.plugin) {
    this.subject = { ...subject, plugin };
    this.#set = set;
    this.host = hostAt(set, 0);
    this.webHead = hostAt(set, 1);
    this.definition = serviceOf(plugin, "db");
    const { address } = this.host;
    this.view = freeze(serverViewOf(this.definition, subject.options(address), { addresses: [address] }));
  }

  static async open(subject: DatabaseSubject): Promise<DatabaseBench> {
    process.stdout.write(`  drawn with HOSTWRIGHT_TEST_SEED=${SEED}\n`);
    const set = await subject.harness.reset(["db", "web"]);
    const bench = new DatabaseBench(subject, set);
    await subject.prepare?.(bench.host);
    await using target = openTarget(bench.host.server, { serviceOptions: bench.serviceOptions });
    await new Work(target, bench.types).ensure(bench.definition.role.server(bench.view));
    return bench;
  }

  /** The same bench with another plugin: one that was broken on purpose. */
  with(plugin: DatabaseSubject["plugin"], from: number): DatabaseBench {
    const bench = new DatabaseBench(this.subject, this.#set, plugin);
    bench.#made = from;
    return bench;
  }

  get types(): ResourceBench["types"] {
    return this.subject.plugin.resourceTypes ?? [];
  }

  get serviceOptions(): ResourceBench["serviceOptions"] {
    return { [this.definition.type]: this.view.service.options };
  }

  get logs(): string {
    return this.subject.logs;
  }

  newId(): string {
    this.#made += 1;
    return `s${this.#made}x`;
  }

  request(id: string, webHeads: DatabaseRequest["webHeads"] = ["local", this.webHead.address]): DatabaseRequest {
    return {
      siteId: id,
      domain: `${id}.test`,
      password: { ref: "secret", id: `site/${id}/db-password`, label: "db password" },
      webHeads,
    };
  }

  sample(id: string): readonly Declared[] {
    return this.definition.role.site(this.request(id), this.view);
  }

  drifts(id: string): readonly Drift[] {
    return this.subject.drifts(id);
  }

  async snapshot(): Promise<string> {
    return this.subject.snapshot(this.host);
  }

  /** As the site's program on the same machine, or on the web head. */
  async login(id: string, password: string, statement: string, from: TestedHost = this.host): Promise<Said> {
    const address = from === this.host ? null : from.address;
    const binding = this.definition.role.binding(this.request(id), this.view, address);
    return this.subject.login(from, binding, password, statement);
  }

  render(): unknown {
    const { role } = this.definition;
    return [role.server(this.view), this.sample("s1"), role.binding(this.request("s1"), this.view, null)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#set[Symbol.asyncDispose]();
  }
}
