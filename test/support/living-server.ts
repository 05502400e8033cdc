import { mkdtemp, readFile, rm } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, install, secret, ssh, verify, type Hostwright, type InstallOptions, type Plugin } from "@hostwright/core";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { wordpress } from "@hostwright/platform-wordpress";
import { expect } from "vitest";
import { wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts, type HostSpec, type TestHost, type TestHosts } from "../hosts/hosts.ts";
import { diffListing, normalisedListing } from "../hosts/listing.ts";
import { StateFolder } from "./state-folder.ts";

export const FIRST = "first.example.com";
export const FIRST_ALIAS = "www.first.example.com";

/** The publisher numbers its generations: what counts is what the one in force holds. */
const NUMBERED = /^file \/etc\/hostwright\/nginx\/(generations|current|last|publish\.lock)/;
/** Grows with each login and visit. */
const VISITS = /^file \/srv\/sites\/[a-z0-9]+\/(tmp|private)\/\S*(sess_|opcache)/;

/** One host that serves a first site, with everything that must be the same after whatever goes wrong beside it. */
export class LivingServer implements AsyncDisposable {
  readonly hosts: TestHosts;
  readonly host: TestHost;
  readonly hw: Hostwright;
  readonly state: StateFolder;
  /** Of the WordPress that the platform `wordpress` holds, and of another release. */
  readonly codebases: Awaited<ReturnType<typeof wordpressCodebases>>;
  #listing = "";
  #rows = "";

  private constructor(parts: { hosts: TestHosts; hw: Hostwright; state: StateFolder; codebases: LivingServer["codebases"] }) {
    this.hosts = parts.hosts;
    this.host = parts.hosts.host("web1");
    this.hw = parts.hw;
    this.state = parts.state;
    this.codebases = parts.codebases;
  }

  static async start(
    options: { readonly plugins?: readonly Plugin[]; readonly spec?: Partial<HostSpec> } = {},
  ): Promise<LivingServer> {
    const codebases = await wordpressCodebases();
    const hosts = await startHosts([{ name: "web1", services: ["mariadb"], ...options.spec }]);
    const stateDir = await mkdtemp(join(tmpdir(), "hostwright-living-"));
    const hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, wordpress, ...(options.plugins ?? [])] });
    const living = new LivingServer({ hosts, hw, state: new StateFolder(stateDir), codebases });
    await living.#prepare();
    return living;
  }

  /** The record's connection, as it is or with what a test breaks. */
  connection(changes: Partial<Parameters<typeof ssh>[0]> = {}): ReturnType<typeof ssh> {
    const { address: host, port, user, hostKey, privateKey } = this.host;
    return ssh({ host, port, user, hostKey, privateKey: secret(privateKey), ...changes });
  }

  install(domain: string, options: Partial<InstallOptions> = {}): ReturnType<typeof install> {
    return install(domain, { platform: "wordpress", ...options });
  }

  /** Status and body of a page as a visitor gets it; no cache, no keep-alive. */
  async page(domain: string): Promise<{ readonly status: number; readonly body: string }> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: this.host.address, path: "/", headers: { host: domain }, agent: false, timeout: 20_000 }, resolve).once("error", reject);
    });
    let body = "";
    for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
    return { status: response.statusCode ?? 0, body };
  }

  /** What is on the host and in the store now becomes what must stay. */
  async remember(): Promise<void> {
    this.#listing = await this.#list();
    this.#rows = this.state.rows();
  }

  /** Nothing is left of what was tried: host, store and first site are as they were. */
  async expectUnharmed(): Promise<void> {
    expect(diffListing(this.#listing, await this.#list())).toBe("");
    expect(this.state.rows()).toBe(this.#rows);
    expect((await this.page(FIRST)).status).toBe(200);
    const plan = await this.hw.plan(verify("web1"));
    expect(plan.actions.map((action) => action.title)).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hw[Symbol.asyncDispose]();
    this.state.close();
    await this.hosts.stop();
    await rm(this.state.path, { recursive: true, force: true });
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
    await this.page(FIRST);
    await this.remember();
  }

  async #list(): Promise<string> {
    const listing = await normalisedListing(this.host, { ignore: [NUMBERED, VISITS] });
    const inForce = await this.host.sh(
      "cd /etc/hostwright/nginx/current/ && ls -A | grep -v status | xargs stat -c '%n %a %U:%G %s' && sha256sum $(ls -A | grep -v status)",
    );
    return `${listing}${inForce
      .trim()
      .split("\n")
      .map((line) => `in-force ${line.replace(/^([0-9a-f]{64}) +(\S+)$/, "sum:$2 $1")}\n`)
      .join("")}`;
  }
}

/** Contents of a file of this repository's hosts, from this machine. */
export async function hostFile(host: TestHost, path: string): Promise<string> {
  return readFile(join(host.root, path), "utf8");
}
