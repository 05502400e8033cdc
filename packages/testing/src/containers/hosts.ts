import { boot, makeDisk } from "./container.ts";
import { givenHosts } from "./given.ts";
import type { HostSpec } from "./host-spec.ts";
import { makeKeyPair } from "./keys.ts";
import { ensureLayers } from "./layers.ts";
import { LocalHost } from "./local-host.ts";
import { removeOnExit } from "./on-exit.ts";
import { createRun, removeRun, type Run } from "./runs.ts";
import type { TestHost } from "./test-host.ts";

export interface TestHosts extends AsyncDisposable {
  readonly id: string;
  readonly hosts: TestHost[];
  /** The host of that name; an error if there is none. */
  host(name: string): TestHost;
  /** Ends the hosts and removes every trace of them. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Hosts that outlive this process, until something removes them. */
  keep?: boolean;
}

function collection(id: string, hosts: TestHost[], stop: () => Promise<void>): TestHosts {
  const host = (name: string): TestHost => {
    const found = hosts.find((one) => one.name === name);
    if (found === undefined)
      throw new Error(`no test host is named ${name}: there are ${hosts.map((one) => one.name).join(", ")}`);
    return found;
  };
  return { id, hosts, host, stop, [Symbol.asyncDispose]: stop };
}

function checkSpecs(specs: readonly HostSpec[]): void {
  for (const { name } of specs) {
    if (!/^[a-z][a-z0-9-]{0,39}$/.test(name))
      throw new Error(`"${name}" is no name for a test host: use lower-case letters, digits and dashes`);
  }
  if (new Set(specs.map((spec) => spec.name)).size < specs.length)
    throw new Error("two test hosts of one run have the same name");
  if (specs.length === 0 || specs.length > 200) throw new Error("a run has from 1 to 200 test hosts");
}

async function startLocal(made: Run, specs: readonly HostSpec[]): Promise<TestHost[]> {
  const login = await makeKeyPair(`test run ${made.id}`);
  const addresses = specs.map((_, index) => `10.213.${made.network}.${index + 10}`);
  const neighbours = specs.map(({ name }, index) => `${addresses[index]} ${name}\n`).join("");
  return Promise.all(
    specs.map(async (spec, index) => {
      const base = await ensureLayers(spec.base, spec.packages);
      const address = addresses[index] ?? "";
      const key = await makeKeyPair(`root@${spec.name}`);
      const services = spec.services ?? [];
      const record = { name: spec.name, index };
      const root = await makeDisk(made.id, record, {
        base,
        address,
        neighbours,
        services,
        authorizedKey: login.publicKey,
        hostPrivateKey: key.privateKey,
        smallDisks: spec.smallDisks ?? {},
        ownDisk: spec.ownDisk,
      });
      const host = new LocalHost(made.id, await boot(made.id, record, root), {
        address,
        services,
        root,
        base: spec.ownDisk === undefined ? null : base,
        privateKey: login.privateKey,
        hostKey: key.fingerprint,
      });
      await host.waitUntilUp();
      return host;
    }),
  );
}

/** Starts Debian hosts on this machine, each with a fresh disk, and returns when all of them answer. */
export async function startHosts(specs: readonly HostSpec[], options: StartOptions = {}): Promise<TestHosts> {
  checkSpecs(specs);
  const given = await givenHosts(specs);
  if (given !== undefined) return collection("given", given, async () => {});
  const made = await createRun(options.keep === true ? "manual" : "this process");
  const forget = removeOnExit(made.id);
  try {
    const hosts = await startLocal(made, specs);
    if (options.keep === true) forget();
    return collection(made.id, hosts, async () => {
      await removeRun(made.id);
      forget();
    });
  } catch (error) {
    await removeRun(made.id);
    forget();
    throw error;
  }
}
