import { directory, file, link, text, unixUser, type Declared } from "@hostwright/core/plugin";
import { coreResourceTypes } from "@hostwright/core/testing";
import { hostAt, resourceConformance, sh, testHosts, type Drift, type ResourceBench } from "../src/index.ts";

const TYPES = ["directory", "file", "link", "unix-user"];

const folder = (id: string): string => `/etc/conformance-${id}`;

function sample(id: string): readonly Declared[] {
  const path = folder(id);
  const password = { ref: "secret", id: `site/${id}/password`, label: "password" } as const;
  return [
    unixUser({ name: id, uid: 30_000 + Number(id.slice(1)), home: path }),
    directory({ path, mode: 0o750 }),
    file({ path: `${path}/open.conf`, content: `name = ${id}\n` }),
    file({ path: `${path}/secret.conf`, content: text`password = ${password}\n`, mode: 0o600 }),
    link({ path: `${path}/link`, target: `${path}/open.conf` }),
  ];
}

function drifts(id: string): readonly Drift[] {
  const path = folder(id);
  return [
    { what: "another content", script: `echo more >> ${path}/open.conf` },
    { what: "another secret", script: `echo 'password = other' > ${path}/secret.conf` },
    { what: "a file that is open", script: `chmod 644 ${path}/secret.conf` },
    { what: "a file of somebody else's", script: `chown nobody ${path}/open.conf` },
    { what: "a file that is gone", script: `rm ${path}/open.conf` },
    { what: "a folder that is open", script: `chmod 755 ${path}` },
    { what: "another target", script: `ln -sfn /etc/passwd ${path}/link` },
    { what: "a user with a shell", script: `usermod -s /bin/sh ${id}` },
  ];
}

resourceConformance("core's resource types", async (): Promise<ResourceBench & AsyncDisposable> => {
  const set = await testHosts().reset(["one"]);
  const host = hostAt(set, 0);
  let made = 0;
  return {
    host,
    types: coreResourceTypes.filter(({ name }) => TYPES.includes(name)),
    serviceOptions: {},
    newId: () => `c${(made += 1)}`,
    sample,
    drifts,
    snapshot: async () =>
      sh(
        host,
        `cd /etc; find . -maxdepth 2 -path './conformance-*' -printf '%p %y %m %u %g %l\\n' | sort
        find . -maxdepth 2 -path './conformance-*' -type f -exec sha256sum {} + | sort -k2; grep '^c[0-9]' passwd group || true`,
      ),
    logs: "journalctl --no-pager -n 2000",
    [Symbol.asyncDispose]: async () => set[Symbol.asyncDispose](),
  };
});
