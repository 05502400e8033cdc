import { ssh, SshServer, type ConnectInput, type SshServerOptions } from "@hostwright/core";
import type { Harness, TestedHost } from "./host.ts";

export interface SshHarnessOptions {
  /** Machines as a server's record names them, with a login as root; a suite takes as many as it needs, in their order. */
  readonly machines: readonly SshServerOptions[];
  /** Sets machines back to how they are fresh, with all packages installed: a snapshot, a new virtual machine. */
  reset(machines: readonly SshServerOptions[]): Promise<void>;
}

/** Machines over SSH as a suite takes hosts; a second connection judges, past the plugin's. */
export function sshHarness({ machines, reset }: SshHarnessOptions): Harness {
  return {
    async reset(names) {
      const used = machines.slice(0, names.length);
      await reset(used);
      const connects = await Promise.all(used.map(asRecorded));
      const open = used.map((options) => ({ options, plugin: new SshServer(options), judge: new SshServer(options) }));
      const hosts = open.map(({ options, plugin, judge }, index): TestedHost => ({
        ...(connects[index] === undefined ? {} : { connect: connects[index] }),
        name: names[index] ?? options.name,
        address: options.host,
        server: plugin,
        async exec(argv, { input, env } = {}) {
          const { exitCode, stdout, stderr } = await judge.run({
            argv,
            ...(input === undefined ? {} : { stdin: input }),
            ...(env === undefined ? {} : { env }),
            timeoutMs: 300_000,
          });
          return { code: exitCode ?? 128, stdout: stdout.toString(), stderr };
        },
      }));
      return {
        hosts,
        [Symbol.asyncDispose]: async () => {
          await Promise.all(open.flatMap(({ plugin, judge }) => [plugin.close(), judge.close()]));
        },
      };
    },
  };
}

async function asRecorded({ host, port, user, hostKeys, privateKey: key }: SshServerOptions): Promise<ConnectInput> {
  const privateKey = typeof key === "function" ? await key() : key;
  const login = { ...(port === undefined ? {} : { port }), ...(user === undefined ? {} : { user }) };
  return ssh({ host, ...login, hostKey: hostKeys, privateKey });
}
