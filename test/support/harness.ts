import type { Harness, TestedHost } from "@hostwright/testing";
import type { BaseName } from "../hosts/base-recipe.ts";
import { startHosts, type HostSpec, type TestHost } from "../hosts/hosts.ts";
import { sshTo } from "./ssh-to.ts";

/**
 * Our test hosts, as the conformance suites take hosts, all of them of one base. The services run on the first of them
 * from the start.
 */
export function harness(services: readonly string[] = [], base: BaseName = "debian"): Harness {
  return {
    async reset(names) {
      const specs = names.map((name, index): HostSpec => ({ name, base, services: index === 0 ? services : [] }));
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
  const { name, address } = host;
  const server = sshTo(host);
  return {
    name,
    address,
    server,
    exec: async (argv, { input, env } = {}) =>
      host.exec(argv, { ...(input === undefined ? {} : { input }), ...(env === undefined ? {} : { env: { ...env } }) }),
  };
}
