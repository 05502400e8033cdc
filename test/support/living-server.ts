import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createHostwright,
  install,
  secret,
  ssh,
  verify,
  type Hostwright,
  type InstallOptions,
  type Plugin,
} from "@hostwright/core";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { wordpress } from "@hostwright/platform-wordpress";
import { expect } from "vitest";
import { wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts, type HostSpec, type TestHost, type TestHosts } from "../hosts/hosts.ts";
import { diffListing } from "../hosts/listing.ts";
import { Gate } from "./gate.ts";
import { settledListing } from "./listing.ts";
import { page } from "./page.ts";
import { StateFolder } from "./state-folder.ts";

export const FIRST = "first.example.com";
export const FIRST_ALIAS = "www.first.example.com";

/** One host that serves a first site, with everything that must be the same after whatever goes wrong beside it. */
export class LivingServer implements AsyncDisposable {
  readonly hosts: TestHosts;
  readonly host: TestHost;
  readonly hw: Hostwright;
  readonly state: StateFolder;
  readonly gate: Gate;
  /** Of the WordPress that the platform `wordpress` holds, and of another release. */
  readonly codebases: Awaited<ReturnType<typeof wordpressCodebases>>;
  /** Its tests restart it: what lives in memory only (`/run`, systemd's slices) comes and goes with that, and is not compared. */
  readonly restarts: boolean;
  #listing = "";
  #rows = "";

  private constructor(parts: {
    hosts: TestHosts;
    hw: Hostwright;
    state: StateFolder;
    gate: Gate;
    codebases: LivingServer["codebases"];
    restarts: boolean;
  }) {
    this.hosts = parts.hosts;
    this.host = parts.hosts.host("web1");
    this.hw = parts.hw;
    this.state = parts.state;
    this.gate = parts.gate;
    this.codebases = parts.codebases;
    this.restarts = parts.restarts;
  }

  static async start(
    options: {
      readonly http?: Plugin;
      readonly plugins?: readonly Plugin[];
      readonly spec?: Partial<HostSpec>;
      /** Further hosts, which no server record names. */
      readonly beside?: readonly HostSpec[];
      readonly gate?: Gate;
      readonly leaseMs?: number;
      readonly restarts?: boolean;
    } = {},
  ): Promise<LivingServer> {
    const codebases = await wordpressCodebases();
    const hosts = await startHosts([
      { name: "web1", services: ["mariadb"], ...options.spec },
      ...(options.beside ?? []),
    ]);
    const stateDir = await mkdtemp(join(tmpdir(), "hostwright-living-"));
    const gate = options.gate ?? new Gate();
    const plugins = [options.http ?? nginx, phpFpm, mysql, wordpress, ...(options.plugins ?? [])];
    const { leaseMs = 60_000, restarts = false } = options;
    const hw = await createHostwright({ stateDir, plugins, leaseMs, provide: [gate.provider] });
    const living = new LivingServer({ hosts, hw, state: new StateFolder(stateDir), gate, codebases, restarts });
    await living.#prepare();
    return living;
  }

  /** The record's connection, as it is or with what a test breaks; of another host where one is given. */
  connection(changes: Partial<Parameters<typeof ssh>[0]> = {}, to: TestHost = this.host): ReturnType<typeof ssh> {
    const { address: host, port, user, hostKey, privateKey } = to;
    return ssh({ host, port, user, hostKey, privateKey: secret(privateKey), ...changes });
  }

  install(domain: string, options: Partial<InstallOptions> = {}): ReturnType<typeof install> {
    return install(domain, { platform: "wordpress", ...options });
  }

  /** What is on the host and in the store now becomes what must stay. */
  async remember(): Promise<void> {
    this.#listing = await this.#settled();
    this.#rows = this.state.rows();
  }

  /** What differs from the listing that must stay, a line each. */
  async differences(): Promise<string> {
    return diffListing(this.#listing, await this.#settled());
  }

  /** Nothing is left of what was tried: host, store and first site are as they were. */
  async expectUnharmed(): Promise<void> {
    expect(await this.differences()).toBe("");
    expect(this.state.rows()).toBe(this.#rows);
    expect((await page(this.host, FIRST, "/")).status).toBe(200);
    const plan = await this.hw.plan(verify(FIRST));
    expect(plan.actions.map((action) => action.title)).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hw[Symbol.asyncDispose]();
    this.state.close();
    await this.hosts.stop();
    await rm(this.state.path, { recursive: true, force: true });
  }

  async #settled(): Promise<string> {
    const listing = await settledListing(this.host);
    if (!this.restarts) return listing;
    const lines = listing.split("\n").filter((line) => !/^(?:file \/run\/|unit \S+\.slice )/.test(line));
    return lines.join("\n");
  }

  async #prepare(): Promise<void> {
    await this.hw.servers.put({
      name: "web1",
      connect: this.connection(),
      services: [nginx.service(), phpFpm.service({ version: "8.4" }), mysql.service()],
    });
    await this.hw.platforms.put({
      name: "wordpress",
      server: "web1",
      type: wordpress.platform(),
      source: { path: this.codebases["6.8"] },
    });
    await this.hw.run(this.install(FIRST, { aliases: [FIRST_ALIAS] }));
    await page(this.host, FIRST, "/");
    await this.remember();
  }
}
