import type { ExecResult } from "../hosts/host.ts";
import { readFile } from "node:fs/promises";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitForSsh } from "./container.ts";
import type { HostSpec } from "./host-spec.ts";
import { delay, run, runResult, type RunOptions } from "./run.ts";
import { fingerprintOf } from "./keys.ts";
import type { TestHost } from "./test-host.ts";

interface GivenHost {
  name: string;
  address: string;
  port?: number;
  user?: string;
  privateKeyPath: string;
  hostKey: string;
}

const INSTALL = `dpkg-query -W "$@" > /dev/null 2>&1 ||
{ apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"; }`;

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** A known_hosts file for a host, made only if the key it shows is the one we were told. */
async function knownHosts(host: GivenHost): Promise<string> {
  const shown = (await run("ssh-keyscan", ["-p", String(host.port ?? 22), host.address]))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const line = shown.find((one) => fingerprintOf(one.slice(one.indexOf(" ") + 1)) === host.hostKey);
  if (line === undefined)
    throw new Error(`the host ${host.name} of HOSTWRIGHT_TEST_HOSTS has no key ${host.hostKey}: correct its hostKey`);
  const folder = mkdtempSync(join(tmpdir(), "test-host-known-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "known_hosts"), `${line}\n`);
  return join(folder, "known_hosts");
}

async function asTestHost(host: GivenHost, { services = [], packages = [] }: HostSpec): Promise<TestHost> {
  const { name, address, port = 22, user = "root", hostKey, privateKeyPath } = host;
  const ssh = [
    "-i",
    privateKeyPath,
    "-p",
    String(port),
    "-o",
    `UserKnownHostsFile=${await knownHosts(host)}`,
    "-o",
    "BatchMode=yes",
    "-o",
    "IdentitiesOnly=yes",
  ];
  const impossible = (what: string) => (): never => {
    throw new Error(
      `${what} is not possible on ${name}, a host of HOSTWRIGHT_TEST_HOSTS: run this test with local hosts`,
    );
  };
  const exec = (argv: readonly string[], { env = {}, ...options }: RunOptions = {}): Promise<ExecResult> => {
    const assignments = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    return runResult(
      "ssh",
      [...ssh, `${user}@${address}`, "--", ["env", ...assignments, ...argv].map(quote).join(" ")],
      options,
    );
  };
  const sh = async (script: string, options: RunOptions = {}): Promise<string> => {
    const result = await exec(["sh", "-c", script], options);
    if (result.code !== 0)
      throw new Error(`on the host ${name}, exit code ${result.code}: ${script}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  };
  const reboot = async (): Promise<void> => {
    const before = await sh("cat /proc/sys/kernel/random/boot_id");
    await exec(["systemctl", "reboot"]);
    for (const until = Date.now() + 300_000; Date.now() < until; await delay(500)) {
      const now = await exec(["cat", "/proc/sys/kernel/random/boot_id"], { timeoutMs: 10_000 });
      if (now.code === 0 && now.stdout !== before) return;
    }
    throw new Error(`the host ${name} did not come back after its reboot`);
  };
  const waitUntilUp = (): Promise<void> => waitForSsh(name, address, port, 300_000, () => undefined);
  await waitUntilUp();
  if (packages.length > 0) {
    const { code, stderr } = await exec(["sh", "-c", INSTALL, "sh", ...packages]);
    if (code !== 0) throw new Error(`on the host ${name}, ${packages.join(", ")} cannot be installed:\n${stderr}`);
  }
  if (services.length > 0) await sh(`systemctl enable --now ${services.map(quote).join(" ")}`);
  return {
    name,
    address,
    port,
    user,
    hostKey,
    exec,
    sh,
    reboot,
    waitUntilUp,
    running: true,
    privateKey: await readFile(privateKeyPath, "utf8"),
    get root(): string {
      return impossible("looking at its files from here")();
    },
    kill: impossible("cutting the power"),
    losePower: impossible("losing what was not synced"),
    stop: impossible("stopping"),
    start: impossible("starting"),
    fillDisk: impossible("filling a disk"),
  };
}

/** The disposable hosts that HOSTWRIGHT_TEST_HOSTS names, by name where it fits, else in order; undefined without it. */
export async function givenHosts(specs: readonly HostSpec[]): Promise<TestHost[] | undefined> {
  const text = process.env["HOSTWRIGHT_TEST_HOSTS"];
  if (text === undefined || text === "") return undefined;
  const free = JSON.parse(text) as GivenHost[];
  const chosen = new Map<HostSpec, GivenHost>();
  const take = (spec: HostSpec, index: number): void => {
    const [host] = index < 0 ? [] : free.splice(index, 1);
    if (host !== undefined) chosen.set(spec, host);
  };
  for (const spec of specs)
    take(
      spec,
      free.findIndex((host) => host.name === spec.name),
    );
  for (const spec of specs) if (!chosen.has(spec)) take(spec, free.length - 1);
  return Promise.all(
    specs.map((spec) => {
      const host = chosen.get(spec);
      if (host === undefined)
        throw new Error(`the test wants ${specs.length} hosts, HOSTWRIGHT_TEST_HOSTS names too few`);
      return asTestHost({ ...host, name: spec.name }, spec);
    }),
  );
}
