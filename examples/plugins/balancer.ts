import {
  CONTRACT,
  defineBackingService,
  directory,
  file,
  generations,
  HostwrightError,
  unit,
} from "@hostwright/core/plugin";
import type { Blame, Declared, Entry, Publication, ServerView, ServicePlugin } from "@hostwright/core/plugin";
import * as z from "zod";

/** A service of a kind of its own that publishes: Debian's haproxy, whose pools come into force as generations. */
const ROOT = "/etc/hostwright/example-balancer";
const UNIT = "example-balancer.service";
const RUN = "/run/example-balancer";

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/);
const Pool = z.strictObject({
  /** On which it answers, on every address. */
  port: z.int().min(1).max(65_535),
  /** `address:port` of each server behind it. */
  servers: z.array(z.string().regex(/^[A-Za-z0-9.-]+:[0-9]{1,5}$/)),
});
export type Pool = z.output<typeof Pool>;

const Options = z.strictObject({ pools: z.record(Name, Pool).default({}) });

const entry = (name: string, ...lines: readonly string[]): Entry => ({ name, content: `${lines.join("\n")}\n` });

/** haproxy does not start without a listener: one that nobody reaches stands for no pools. */
const BASE = entry(
  "000-base.cfg",
  "global",
  `  stats socket ${RUN}/admin.sock mode 600 level admin`,
  "  user haproxy",
  "  group haproxy",
  "defaults",
  "  mode http",
  "  timeout connect 5s",
  "  timeout client 30s",
  "  timeout server 30s",
  "frontend none",
  `  bind ${RUN}/none.sock mode 600`,
  "  http-request deny deny_status 404",
);

/** What puts a pool in force, as soon as it is published. */
export function poolEntry(name: string, { port, servers }: Pool): Declared {
  const { content } = entry(
    name,
    `frontend ${name}`,
    `  bind :${port}`,
    `  default_backend ${name}`,
    `backend ${name}`,
    ...servers.map((address, index) => `  server s${index} ${address}`),
  );
  return file({ path: `${ROOT}/entries/${name}.cfg`, content, mode: 0o640 });
}

function blame(output: string): Blame | null {
  const [, found, message] = /^\[ALERT\][^[\n]*\[(\/[^:\n]+):\d+\] : (.+)$/m.exec(output) ?? [];
  return found === undefined || message === undefined ? null : { file: found, message };
}

// haproxy tells its environment over its own socket; perl is on every Debian.
const ASK = `my $s = IO::Socket::UNIX->new($ARGV[0]) or exit 1; print $s "show env EXAMPLE_GENERATION\\n"; print <$s>`;

const publication: Publication = {
  root: ROOT,
  unit: UNIT,
  test: ["haproxy", "-c", "-f", `${ROOT}/current`],
  blame,
  status: { command: ["perl", "-MIO::Socket::UNIX", "-e", ASK, `${RUN}/admin.sock`] },
  statusEntry: (generation) => entry("001-generation.cfg", "global", `  setenv EXAMPLE_GENERATION ${generation}`),
};

const UNIT_FILE = `[Unit]
Description=haproxy with the pools of Hostwright
After=network.target
[Service]
Type=notify
RuntimeDirectory=example-balancer
ExecStart=/usr/sbin/haproxy -Ws -f ${ROOT}/current
ExecReload=/bin/kill -USR2 $MAINPID
KillMode=mixed
Restart=always
[Install]
WantedBy=multi-user.target
`;

/** The unit may be stopped: it needs a generation, and the first publication starts it. */
const server = ({ service }: ServerView): readonly Declared[] => [
  ...[ROOT, `${ROOT}/entries`].map((path) => directory({ path, mode: 0o750 })),
  generations({ root: ROOT }),
  file({ path: `${ROOT}/entries/${BASE.name}`, content: BASE.content, mode: 0o640 }),
  ...Object.entries((service.options as z.output<typeof Options>).pools).map(([name, pool]) => poolEntry(name, pool)),
  file({ path: `/etc/systemd/system/${UNIT}`, content: UNIT_FILE, mode: 0o644 }),
  unit({ name: UNIT, enabled: true }),
];

export const exampleBalancer: ServicePlugin<z.input<typeof Options>> = defineBackingService({
  name: "example-balancer",
  contract: CONTRACT,
  kind: { name: "balancer", version: 1, title: "balancer", role: "backing" },
  type: "example-balancer",
  options: { version: 1, schema: Options },
  packages: () => ["haproxy"],
  unwantedUnits: () => [{ package: "haproxy", unit: "haproxy.service" }],
  facts: () => ({}),
  problems: () => [],
  role: {
    protocol: "balancer",
    publication,
    server,
    site: () => [],
    binding() {
      throw new HostwrightError("HW_PREREQUISITE_MISSING", "No site is bound to a balancer. Nothing was changed.");
    },
  },
});
