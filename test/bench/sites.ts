import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { configure, createHostwright, install, verify, type Hostwright, type TaskRequest } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts, type TestHost } from "../hosts/hosts.ts";
import { connect } from "../support/fleet.ts";
import { recordSites } from "../support/many-sites.ts";
import { rounded } from "./figures.ts";
import { askAll, atRest, type Answered, type AtRest } from "./at-rest.ts";
import { table } from "./pairs.ts";

/** What a task cost. */
interface Cost {
  readonly ms: number;
  readonly roundTrips: number;
  readonly bytes: number;
  /** Of its actions that published: the entries, a generation of all, its test, the reload, and that it answers. */
  readonly publishMs: number;
  /** Publications with a reload. */
  readonly reloads: number;
}

interface Stage extends AtRest {
  readonly sites: number;
  /** Putting up all that were recorded since the stage before. */
  readonly putUp: Cost;
  /** Changing the web rules of one. */
  readonly change: Cost;
  /** Names that answered as their site does. */
  readonly names: number;
}

export interface SitesFigures {
  readonly servers: Readonly<Record<string, readonly Stage[]>>;
  /** Of the cost of changing one site, from a tenth of the sites to all of them. */
  readonly growth: Readonly<Record<string, Pick<Cost, "roundTrips" | "bytes">>>;
}

const DOMAIN = "changed.example.com";
const FILE = "/wp-includes/css/buttons.min.css";
const SERVERS = {
  nginx: { plugin: nginx, unit: "nginx.service" },
  apache: { plugin: apache, unit: "apache2.service" },
} as const;

/** One server with a tenth of the sites, then with all, through nginx and through Apache: what it costs at rest, and to change one. */
export async function benchSites(sites: number, say: (line: string) => void): Promise<SitesFigures> {
  const codebases = await wordpressCodebases();
  const servers: Record<string, readonly Stage[]> = {};
  for (const [name, server] of Object.entries(SERVERS)) {
    say(`${name}: booting a host, and installing one WordPress on it ...`);
    servers[name] = await stages(server, codebases["6.8"], [Math.ceil(sites / 10), sites], say);
    for (const line of table(rows(servers[name]))) say(line);
  }
  const growth = Object.entries(servers).map(
    ([name, [few, many]]) => [name, grown(few?.change, many?.change)] as const,
  );
  return { servers, growth: Object.fromEntries(growth) };
}

function grown(few: Cost | undefined, many: Cost | undefined): SitesFigures["growth"][string] {
  const ratio = (of: "roundTrips" | "bytes"): number => rounded((many?.[of] ?? Number.NaN) / (few?.[of] ?? 0), 2);
  return { roundTrips: ratio("roundTrips"), bytes: ratio("bytes") };
}

async function stages(
  { plugin, unit }: (typeof SERVERS)[keyof typeof SERVERS],
  path: string,
  counts: readonly number[],
  say: (line: string) => void,
): Promise<readonly Stage[]> {
  await using hosts = await startHosts([{ name: "web1", services: ["mariadb"] }]);
  const host = hosts.host("web1");
  const stateDir = await mkdtemp(join(tmpdir(), "hostwright-bench-"));
  try {
    await using hw = await createHostwright({ stateDir, plugins: [plugin, phpFpm, mysql, wordpress] });
    const services = [plugin.service(), phpFpm.service({ version: "8.4", maxIdleMinutes: 1 }), mysql.service()];
    await hw.servers.put({ name: "web1", connect: connect(host), services });
    await hw.platforms.put({ name: "wordpress", server: "web1", type: wordpress.platform(), source: { path } });
    await hw.run(install(DOMAIN, { platform: "wordpress" }));
    const done: Stage[] = [];
    for (const count of counts) {
      const standing = (await hw.sites.list()).length;
      await recordSites(stateDir, "wordpress", count - standing);
      const putUp = await cost(hw, verify("@web1"));
      say(`${count - standing} sites more were put up in ${putUp.ms} ms with ${putUp.reloads} reload(s)`);
      await phpIsIdle(host);
      const rest = await atRest(host, unit);
      const names = await allAnswer(hw, host);
      const header = { name: "X-Sites", value: String(count) };
      const change = await cost(hw, configure(DOMAIN, { webRules: { headers: [header] } }));
      done.push({ sites: count, putUp, change, names, ...rest });
    }
    return done;
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function cost(hw: Hostwright, request: TaskRequest): Promise<Cost> {
  const read = async (): Promise<readonly [number, number]> => {
    const all = (await hw.connections()).map(({ stats }) => stats);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return [
      sum(all.map(({ roundTrips }) => roundTrips)),
      sum(all.map(({ bytesSent, bytesReceived }) => bytesSent + bytesReceived)),
    ];
  };
  const [trips, bytes] = await read();
  let [publishMs, reloads, publishes] = [0, 0, false];
  const started = performance.now();
  await hw.run(request, {
    onEvent: ({ type, payload }) => {
      if (type === "publication:published") {
        publishes = true;
        if (payload.reloaded) reloads += 1;
      }
      if (type !== "action:finished") return;
      if (publishes) publishMs += payload.ms;
      publishes = false;
    },
  });
  const ms = Math.round(performance.now() - started);
  const [tripsAfter, bytesAfter] = await read();
  return { ms, roundTrips: tripsAfter - trips, bytes: bytesAfter - bytes, publishMs, reloads };
}

/** Every name as its own site: the file of the release, and its other name sent to it. @returns how many names there are. */
async function allAnswer(hw: Hostwright, host: TestHost): Promise<number> {
  const sites = await hw.sites.list();
  const bytes = Number(await host.sh(`stat -Lc %s /srv/platforms/wordpress/web${FILE}`));
  const wanted = sites.flatMap(({ domain, aliases }) => [
    { name: domain, right: ({ status, ...answer }: Answered) => status === 200 && answer.bytes === bytes },
    ...aliases.map((name) => ({ name, right: ({ to }: Answered) => to === `http://${domain}${FILE}` })),
  ]);
  const names = wanted.map(({ name }) => name);
  const answers = await askAll(host, names, FILE);
  const wrong = wanted.filter(({ right }, index) => !right(answers[index] ?? { status: 0, bytes: 0, to: "" }));
  if (wrong.length > 0) throw new Error(`not answered as their sites: ${wrong.map(({ name }) => name).join(", ")}`);
  return wanted.length;
}

/** PHP of a site that was asked for ends by itself, within minutes. */
async function phpIsIdle(host: TestHost): Promise<void> {
  const running = "systemctl list-units --state=running --plain --no-legend 'hostwright-php-*.service'";
  for (const until = Date.now() + 300_000; (await host.sh(running)).trim() !== ""; await delay(2000))
    if (Date.now() > until) throw new Error("PHP that nobody asks for still runs after five minutes");
}

function rows(stages: readonly Stage[]): readonly (readonly string[])[] {
  const row = (what: string, value: (stage: Stage) => number | string): readonly string[] => [
    what,
    ...stages.map((stage) => String(value(stage))),
  ];
  const mib = (kib: number): string => (kib / 1024).toFixed(1);
  return [
    row("sites", ({ sites }) => sites),
    row("names that answer", ({ names }) => names),
    row("reloads to put them up", ({ putUp }) => putUp.reloads),
    row("with their publication, ms", ({ putUp }) => putUp.publishMs),
    row("processes of the web server", ({ processes }) => processes),
    row("its descriptors, of at most", (stage) => `${stage.descriptors} / ${stage.descriptorLimit}`),
    row("its memory, MiB", ({ memoryKib }) => mib(memoryKib)),
    row("PHP that runs", ({ php }) => php),
    row("active units, of them sockets of sites", ({ units, sockets }) => `${units} / ${sockets}`),
    row("systemd: descriptors", ({ systemdDescriptors }) => systemdDescriptors),
    row("systemd: memory, MiB", ({ systemdMemoryKib }) => mib(systemdMemoryKib)),
    row("one site changed: ms", ({ change }) => change.ms),
    row("its publication, ms", ({ change }) => change.publishMs),
    row("round trips", ({ change }) => change.roundTrips),
    row("bytes", ({ change }) => change.bytes),
  ];
}
