import { CONTRACT, defineBackingService, directory, file, HostwrightError, unit } from "@hostwright/core/plugin";
import type { BindingRequest, Declared, ServicePlugin } from "@hostwright/core/plugin";
import * as z from "zod";

const Options = z.strictObject({
  /** MiB of memory that each site's sessions may take. */
  megabytes: z.int().min(1).max(1024).default(16),
});

const unitName = (siteId: string): string => `example-sessions-${siteId}.service`;
const socket = (siteId: string): string => `/run/example-sessions-${siteId}/memcached.sock`;

/** memcached knows no accounts: each site has one of its own, at a socket that its sandbox alone shows. */
const rendered = (siteId: string, megabytes: number): string => `[Unit]
Description=Sessions of the Hostwright site ${siteId}
[Service]
# Without its program it does not count as started.
Type=exec
User=memcache
RuntimeDirectory=example-sessions-${siteId}
# The site's sandbox has this very folder, and would keep the old one.
RuntimeDirectoryPreserve=restart
ExecStart=/usr/bin/memcached -s ${socket(siteId)} -a 0666 -m ${megabytes}
Restart=always
[Install]
WantedBy=multi-user.target
`;

function site({ siteId }: BindingRequest, options: unknown): readonly Declared[] {
  const { megabytes } = options as z.output<typeof Options>;
  return [
    file({ path: `/etc/systemd/system/${unitName(siteId)}`, content: rendered(siteId, megabytes) }),
    unit({ name: unitName(siteId), enabled: true, active: true }),
  ];
}

/** A kind of service of its own: where the applications of sites keep what a visitor has with them. */
export const exampleSessions: ServicePlugin<z.input<typeof Options>> = defineBackingService({
  name: "example-sessions",
  contract: CONTRACT,
  kind: { name: "sessions", version: 1, title: "session store", role: "backing" },
  type: "example-memcached",
  options: { version: 1, schema: Options },
  packages: () => ["memcached"],
  // Debian's own listens for all users of the machine.
  unwantedUnits: () => [{ package: "memcached", unit: "memcached.service" }],
  facts: () => ({}),
  problems: () => [],
  role: {
    protocol: "memcached",
    server: () => [directory({ path: "/etc/hostwright", shared: true })],
    site: (request, { service }) => site(request, service.options),
    binding({ siteId, password }, _server, fromAddress) {
      if (fromAddress === null)
        return { protocol: "memcached", host: "localhost", port: null, socket: socket(siteId), user: siteId, password };
      throw new HostwrightError(
        "HW_PREREQUISITE_MISSING",
        "This example serves sites of its own machine only. Nothing was changed.",
      );
    },
  },
});
