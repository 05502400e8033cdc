import { hostAt, resourceConformance, sh, testHosts, type ResourceBench } from "@hostwright/testing";
import { hostName, hostNames } from "./resource.ts";

resourceConformance(
  "names in /etc/hosts",
  async (): Promise<ResourceBench & AsyncDisposable> => {
    const set = await testHosts().reset(["one"]);
    const host = hostAt(set, 0);
    let made = 0;
    return {
      host,
      types: [hostNames],
      serviceOptions: {},
      newId: () => `name${(made += 1)}`,
      sample: (id) => [hostName({ name: `${id}.internal`, address: "192.0.2.7" })],
      drifts: (id) => [
        { what: "another address", script: `sed -i 's/.* ${id}.internal$/192.0.2.8 ${id}.internal/' /etc/hosts` },
        { what: "a name that is gone", script: `sed -i '/ ${id}.internal$/d' /etc/hosts` },
      ],
      snapshot: async () => sh(host, "ls -l /etc/hosts* | cut -d ' ' -f 1,3,4; sort /etc/hosts"),
      logs: "journalctl --no-pager -n 2000",
      [Symbol.asyncDispose]: async () => set[Symbol.asyncDispose](),
    };
  },
  { secrets: "a name in /etc/hosts is none" },
);
