import type { BindingRequest, Declared, ServerView, ServiceDefinition, ServicePlugin } from "@hostwright/core/plugin";
import type { Lacking } from "../check.ts";
import { hostAt, type Harness, type HostSet, type TestedHost } from "../hosts/host.ts";
import { SEED } from "../hostile.ts";
import type { Drift, ResourceBench } from "../resources/resource-bench.ts";
import { freeze } from "../subject.ts";
import { openTarget } from "../resources/target.ts";
import { serverView } from "../views.ts";
import { Work } from "../resources/work.ts";

/** What a statement came to, as the site's own program is told. */
export interface Said {
  readonly ok: boolean;
  /** What was asked for, or the server's refusal. */
  readonly text: string;
}

/** A service at which each site has an account, and how it is judged: by its own command line, never by the plugin. */
export interface AccountSubject<Way> {
  // oxlint-disable-next-line typescript/no-explicit-any -- its options do not matter here
  readonly plugin: ServicePlugin<any>;
  readonly harness: Harness;
  /** Options under which web heads on other machines reach the server at its address. */
  options(address: string): unknown;
  /** Logs in from a host as a site's program does, and runs a statement. The password goes as it is. */
  login(from: TestedHost, binding: Way, password: string, statement: string): Promise<Said>;
  /** All accounts, rights and rules on the host, and whatever sites keep there, as text, read past the plugin. */
  snapshot(host: TestedHost): Promise<string>;
  /** Puts there what `drifts` needs beside it, once. Default: nothing. */
  prepare?(host: TestedHost): Promise<void>;
  /** What somebody else may do to what a site has there. */
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

/** What roles that give each site an account have in common. */
export interface AccountRole<Way> {
  readonly protocol: string;
  server(view: ServerView): readonly Declared[];
  site(request: BindingRequest, server: ServerView): readonly Declared[];
  binding(request: BindingRequest, server: ServerView, fromAddress: string | null): Way;
}

/** Statements of the service's own language. */
export interface Statements {
  /** Keeps a text for the site of that name. */
  keep(id: string, text: string): string;
  /** Asks for it again. */
  ask(id: string): string;
}

/** Such a service on one host, and a web head on another. */
export abstract class AccountBench<Way> implements ResourceBench, AsyncDisposable {
  readonly subject: AccountSubject<Way>;
  readonly host: TestedHost;
  readonly webHead: TestedHost;
  readonly definition: ServiceDefinition;
  readonly role: AccountRole<Way>;
  readonly view: ServerView;
  abstract readonly statements: Statements;
  protected readonly set: HostSet;
  #made: number;

  /** @param set its hosts, as a harness gives them; nothing is brought onto them yet. */
  constructor(
    subject: AccountSubject<Way>,
    set: HostSet,
    made: number,
    definition: ServiceDefinition,
    role: AccountRole<Way>,
  ) {
    this.subject = subject;
    this.set = set;
    this.#made = made;
    this.host = hostAt(set, 0);
    this.webHead = hostAt(set, 1);
    this.definition = definition;
    this.role = role;
    const { address } = this.host;
    this.view = freeze(serverView(this.definition, subject.options(address), { addresses: [address] }));
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

  /** Brings onto its hosts what the service needs once. */
  async prepare(): Promise<void> {
    process.stdout.write(`  drawn with HOSTWRIGHT_TEST_SEED=${SEED}\n`);
    await this.subject.prepare?.(this.host);
    await using target = openTarget(this.host.server, { serviceOptions: this.serviceOptions });
    await new Work(target, this.types).ensure(this.role.server(this.view));
  }

  newId(): string {
    this.#made += 1;
    return `s${this.#made}x`;
  }

  request(id: string, webHeads: BindingRequest["webHeads"] = ["local", this.webHead.address]): BindingRequest {
    const password = { ref: "secret", id: `site/${id}/${this.definition.kind}-password`, label: "password" } as const;
    return { siteId: id, domain: `${id}.test`, password, webHeads };
  }

  sample(id: string): readonly Declared[] {
    return this.role.site(this.request(id), this.view);
  }

  drifts(id: string): readonly Drift[] {
    return this.subject.drifts(id);
  }

  async snapshot(): Promise<string> {
    return this.subject.snapshot(this.host);
  }

  /** As the site's program on the same machine, or on the web head. */
  async login(id: string, password: string, statement: string, from: TestedHost = this.host): Promise<Said> {
    return this.subject.login(from, this.way(id, from), password, statement);
  }

  way(id: string, from: TestedHost = this.host): Way {
    const address = from === this.host ? null : from.address;
    return this.role.binding(this.request(id), this.view, address);
  }

  render(): unknown {
    return [this.role.server(this.view), this.sample("s1"), this.way("s1")];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.set[Symbol.asyncDispose]();
  }
}
