import type { ExecResult } from "../hosts/host.ts";
import type { BaseName } from "./base-recipe.ts";
import { boot, makeDisk } from "./container.ts";
import { givenHosts } from "./given.ts";
import { makeKeyPair } from "./keys.ts";
import { ensureLayers } from "./layers.ts";
import { LocalHost } from "./local-host.ts";
import type { RunOptions } from "./run.ts";
import { removeOnExit } from "./on-exit.ts";
import { createRun, removeRun, type Run } from "./runs.ts";

export interface HostSpec {
  /** The host's own name: letters, digits and dashes. */
  name: string;
  /** What is installed on it. Default: `debian`, which has everything but MySQL; `mysql` has MySQL alone. */
  base?: BaseName;
  /**
   * Debian packages that are installed beside those of the base; fetched when they are first asked for, then kept like the
   * base. Their services do not run by themselves. Default: none.
   */
  packages?: readonly string[];
  /** Units that run from the start, such as nginx, mariadb or what `packages` brought. Nothing else runs. Default: none. */
  services?: readonly string[];
  /** Paths that are small file systems of their own, such as { "/srv": "64M" }, to try a full disk. */
  smallDisks?: Readonly<Record<string, string>>;
  /** Size of a file system of its own for all that the host writes, such as "3G": needed for `losePower`. */
  ownDisk?: string;
}

export interface TestHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** In OpenSSH's format, made for this run alone. */
  readonly privateKey: string;
  /** "SHA256:..." of the host's own key. */
  readonly hostKey: string;
  /** The host's file tree as seen from this machine, running or not (without its /proc, /run, /tmp). */
  readonly root: string;
  readonly running: boolean;
  /** Runs a command as root, past SSH, and returns its outcome whatever its exit code. */
  exec(argv: readonly string[], options?: RunOptions): Promise<ExecResult>;
  /** The same for a shell script; throws when it fails, returns its output. */
  sh(script: string, options?: RunOptions): Promise<string>;
  /** Restarts the host's system, and returns when it answers again. */
  reboot(): Promise<void>;
  /** Waits until it answers again, after a reboot that something else asked for. */
  waitUntilUp(): Promise<void>;
  /** Ends everything at once, as a power failure does. start() brings it up again. */
  kill(): Promise<void>;
  /** As `kill`, and what was not synced before is lost as well; for hosts with an `ownDisk`. start() brings it up again. */
  losePower(): Promise<void>;
  /** Shuts down in an orderly way. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Takes all space left at a path of smallDisks until the returned thing is disposed. */
  fillDisk(path: string): Promise<AsyncDisposable>;
}

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
