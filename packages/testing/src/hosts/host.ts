import type { ConnectInput } from "@hostwright/core";
import type { Server } from "@hostwright/core/plugin";

export interface ExecOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real Debian server that a plugin is judged on. Whatever stands on it may be changed. */
export interface TestedHost {
  readonly name: string;
  /** IP address at which the other hosts of the bench, and this process, reach it. */
  readonly address: string;
  /** As the plugin works on it. */
  readonly server: Server;
  /** As a server's record has it: for suites that work through core as a whole. */
  readonly connect?: ConnectInput;
  /** Runs a command as root past the plugin, to judge it; resolves whatever its exit code. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
}

/** Where a suite gets its hosts from: containers, virtual machines, or machines that are set back. */
export interface Harness {
  /**
   * Hosts as they are fresh from their installation, with the packages that the plugin names (and for http and php those of
   * PHP) installed; each called again gives fresh ones or sets them back.
   */
  reset(names: readonly string[]): Promise<HostSet>;
}

export interface HostSet extends AsyncDisposable {
  readonly hosts: readonly TestedHost[];
}

/** Output of a shell script on a host. @throws Error when it fails */
export async function sh(host: TestedHost, script: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await host.exec(["sh", "-c", script], input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`on ${host.name}, exit code ${code}: ${script.slice(0, 200)}\n${stdout}${stderr}`);
  return stdout;
}

/** The host of that place in the set. */
export function hostAt({ hosts }: HostSet, index: number): TestedHost {
  const host = hosts[index];
  if (host === undefined) throw new Error(`the harness gave ${hosts.length} hosts, the suite needs ${index + 1}`);
  return host;
}
