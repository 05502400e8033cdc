import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, install, switchHttp, type SiteRecord } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { socketPath } from "../../packages/service-php-fpm/src/names.ts";
import { wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts, type TestHost } from "../hosts/hosts.ts";
import { connect, homeOf } from "../support/fleet.ts";
import { HandTuned, PORT, UNIT } from "./hand-tuned.ts";
import { load, type Load } from "./load.ts";
import { compare, table, turns, type Compared, type Pair, type Round } from "./pairs.ts";

export interface ServeFigures {
  readonly servers: readonly ({ readonly server: "nginx" | "apache"; readonly kind: string } & Compared)[];
  /** The lowest of all ratios by the clock, and of all by the servers' own processor time. */
  readonly lowestRatio: number;
  readonly lowestProcessorRatio: number;
}

const DOMAIN = "bench.example.com";
const UPLOAD = "/wp-content/uploads/2026/picture.jpg";
const UPLOAD_BYTES = 40_000;
const UNITS = { nginx: "nginx.service", apache: "apache2.service" } as const;

/** Connections are enough that the servers never wait for one; PHP has five workers. Rounds are short: what disturbs one disturbs the next. */
const KINDS = [
  { kind: "file of the release", path: "/wp-includes/css/buttons.min.css", connections: 8, requests: 3000 },
  { kind: "upload", path: UPLOAD, connections: 8, requests: 3000 },
  { kind: "page", path: "/", connections: 4, requests: 12 },
] as const;

/**
 * Requests per second of one WordPress site through nginx and then Apache as Hostwright publishes it, each against a
 * configuration of the same server by hand, beside it on the same host with the same files and the same PHP.
 */
export async function benchServe(pairs: number, say: (line: string) => void): Promise<ServeFigures> {
  const codebases = await wordpressCodebases();
  say("Booting a host, and installing one WordPress on it ...");
  await using hosts = await startHosts([{ name: "web1", services: ["mariadb"] }]);
  const host = hosts.host("web1");
  const stateDir = await mkdtemp(join(tmpdir(), "hostwright-bench-"));
  try {
    await using hw = await createHostwright({ stateDir, plugins: [nginx, apache, phpFpm, mysql, wordpress] });
    const services = [nginx.service(undefined, "nginx"), phpFpm.service({ version: "8.4" }), mysql.service()];
    await hw.servers.put({ name: "web1", connect: connect(host), services });
    const source = { path: codebases["6.8"] };
    await hw.platforms.put({ name: "wordpress", server: "web1", type: wordpress.platform(), source });
    await hw.run(install(DOMAIN, { platform: "wordpress" }));
    const site = await hw.sites.get(DOMAIN);
    await putUpload(host, site);
    tellConditions(pairs, say);

    const servers: ServeFigures["servers"][number][] = [];
    for (const server of ["nginx", "apache"] as const) {
      if (server === "apache") {
        await hw.servers.put({ name: "web1", services: [...services, apache.service(undefined, "apache")] });
        await hw.run(switchHttp("web1", "apache"));
      }
      const handTuned = await HandTuned.write(host, server, placeOf(site));
      await expectAlike(host, handTuned);
      for (const kind of KINDS) {
        const compared = compare(await measure(host, handTuned, { ...kind, pairs, server, site }));
        servers.push({ server, kind: kind.kind, ...compared });
        say(
          `${server}, ${kind.kind}: ${compared.ratio} x by the clock, ${compared.processorRatio} x by processor time`,
        );
      }
    }
    for (const line of table([HEAD, ...servers.map(row)])) say(line);
    return {
      servers,
      lowestRatio: Math.min(...servers.map(({ ratio }) => ratio)),
      lowestProcessorRatio: Math.min(...servers.map(({ processorRatio }) => processorRatio)),
    };
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

function tellConditions(pairs: number, say: (line: string) => void): void {
  say(
    `${pairs} pairs of short rounds of each, A B B A, after one that is not counted; the spread is that of their middle half.`,
  );
  say(
    `Load: ${availableParallelism()} processes of ab on the host's loopback, connections kept open, no compression asked for;` +
      " they share the processors with the servers, and all of them are busy.",
  );
  say("Both sides keep an access log of the same format, and follow links for one owner only.");
}

function placeOf(site: SiteRecord): Parameters<typeof HandTuned.write>[2] {
  const folder = `${homeOf(site)}/public`;
  return { domain: DOMAIN, docroot: "/srv/platforms/wordpress/web", folder, socket: socketPath(site.id) };
}

/** As the site's PHP would: the file belongs to its user. */
async function putUpload(host: TestHost, site: SiteRecord): Promise<void> {
  const script = 'umask 022; mkdir -p "${1%/*}" && head -c "$2" /dev/zero > "$1"';
  const path = `${homeOf(site)}/public${UPLOAD}`;
  const user = ["setpriv", `--reuid=${site.uid}`, `--regid=${site.uid}`, "--clear-groups"];
  const made = await host.exec([...user, "sh", "-c", script, "sh", path, String(UPLOAD_BYTES)]);
  if (made.code !== 0) throw new Error(made.stderr);
}

/** Two servers that do not answer the same cannot be compared. */
async function expectAlike(host: TestHost, handTuned: HandTuned): Promise<void> {
  await using _running = await handTuned.start();
  const ask = `curl -sS -D - -H "Host: $1" "http://127.0.0.1:$2$3" | tr -d '\\r' | grep -aivE '^(date|server|etag|vary|connection|keep-alive|accept-ranges|expires|x-content-type-options|transfer-encoding):' | sha256sum`;
  for (const { path } of KINDS) {
    const [ours, theirs] = await Promise.all(
      [80, PORT].map(async (port) => host.sh(`set -- ${DOMAIN} ${port} ${path}; ${ask}`)),
    );
    if (ours !== theirs) throw new Error(`${path} is not answered alike by the server by hand`);
  }
}

interface Measured extends Pick<Load, "path" | "connections" | "requests"> {
  readonly server: "nginx" | "apache";
  readonly site: SiteRecord;
  readonly pairs: number;
}

async function measure(
  host: TestHost,
  handTuned: HandTuned,
  { pairs, server, site, ...asked }: Measured,
): Promise<readonly Pair[]> {
  const round = async (unit: string, port: number): Promise<Round> =>
    load(host, { ...asked, domain: DOMAIN, port, units: [unit, `hostwright-site-${site.id}.slice`] });
  await using _running = await handTuned.start();
  const sides = {
    rendered: async () => round(UNITS[server], 80),
    handTuned: async () => round(UNIT, PORT),
  };
  const measured: Pair[] = [];
  for (const [first, second] of turns(pairs + 1)) {
    const one = await sides[first]();
    const other = await sides[second]();
    measured.push(first === "rendered" ? { rendered: one, handTuned: other } : { rendered: other, handTuned: one });
  }
  return measured.slice(1);
}

const HEAD = ["", "rendered/s", "by hand/s", "ratio", "spread", "by processor time", "spread"];

function row({ server, kind, ...figures }: ServeFigures["servers"][number]): readonly string[] {
  const { rendered, handTuned, ratio, spread, processorRatio, processorSpread } = figures;
  const fixed = (value: number): string => value.toFixed(2);
  return [
    `${server}, ${kind}`,
    rendered.toFixed(0),
    handTuned.toFixed(0),
    fixed(ratio),
    spread.map(fixed).join(".."),
    fixed(processorRatio),
    processorSpread.map(fixed).join(".."),
  ];
}
