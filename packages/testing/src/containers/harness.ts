import { secret, ssh } from "@hostwright/core";
import type { Harness, TestedHost } from "../hosts/host.ts";
import type { HostSpec } from "./host-spec.ts";
import { startHosts } from "./hosts.ts";
import type { TestHost } from "./test-host.ts";
import { sshTo } from "./ssh-to.ts";

/** What the hosts of a harness are, all of them; the services run on the first of them from the start. */
export type TestHostsOptions = Pick<HostSpec, "base" | "packages" | "services">;

/** Hosts from `startHosts`, as the conformance suites take hosts. */
export function testHosts({ services = [], ...rest }: TestHostsOptions = {}): Harness {
  return {
    async reset(names) {
      const specs = names.map((name, index): HostSpec => ({ ...rest, name, services: index === 0 ? services : [] }));
      const set = await startHosts(specs);
      const hosts = names.map((name) => tested(set.host(name)));
      return {
        hosts,
        [Symbol.asyncDispose]: async () => {
          await Promise.all(hosts.map(async ({ server }) => server.close()));
          await set.stop();
        },
      };
    },
  };
}

function tested(host: TestHost): TestedHost {
  const { name, address, port, user, hostKey, privateKey } = host;
  return {
    name,
    address,
    server: sshTo(host),
    connect: ssh({ host: address, port, user, hostKey, privateKey: secret(privateKey) }),
    exec: async (argv, { input, env } = {}) =>
      host.exec(argv, { ...(input === undefined ? {} : { input }), ...(env === undefined ? {} : { env: { ...env } }) }),
  };
}
