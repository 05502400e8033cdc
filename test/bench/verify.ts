import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, verify, type Hostwright } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import type { RegisteredResource } from "../../packages/core/src/contracts/store.ts";
import { openState } from "../../packages/core/src/store/open-state.ts";
import { wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts, type TestHost } from "../hosts/hosts.ts";
import { connect, roundTrips } from "../support/fleet.ts";
import { recordSites } from "../support/many-sites.ts";
import { median } from "./figures.ts";
import { APPLY, Floor, READ, Standing } from "./floor.ts";

export interface VerifyFigures {
  readonly sites: number;
  readonly noopMs: number;
  readonly floorNoopMs: number;
  readonly noopRatio: number;
  readonly applyMs: number;
  readonly floorApplyMs: number;
  readonly applyRatio: number;
  /** Of the first apply and one no-op verify together. */
  readonly roundTrips: number;
}

const ROUNDS = 5;
/** Short ones: the first are not compiled yet, and others on the machine disturb some. */
const CPU_ROUNDS = 25;

/** Times a verify of a server with many sites, and by hand the same on the same hosts in the same run. */
export async function benchVerify(sites: number, say: (line: string) => void): Promise<VerifyFigures> {
  const codebases = await wordpressCodebases();
  say("Booting two hosts: web1 for Hostwright, floor1 for the same by hand ...");
  await using hosts = await startHosts(["web1", "floor1"].map((name) => ({ name, services: ["mariadb"] })));
  const stateDir = await mkdtemp(join(tmpdir(), "hostwright-bench-"));
  try {
    await using hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, wordpress] });
    const [web, other] = [hosts.host("web1"), hosts.host("floor1")];
    for (const host of [web, other]) await prepareServer(hw, host);
    const source = { path: codebases["6.8"] };
    await hw.platforms.put({ name: "wordpress", server: "web1", type: wordpress.platform(), source });
    await hw.run(verify("@wordpress"));

    say(`Recording ${sites} sites ...`);
    await recordSites(stateDir, "wordpress", sites);

    const before = await roundTrips(hw);
    const [applyMs] = await timed(async () => hw.run(verify("@web1")));
    const applyTrips = (await roundTrips(hw)) - before;
    say(`first apply: ${applyMs} ms, ${applyTrips} round trips`);

    const standing = new Standing(web, await siteResources(stateDir, hw));
    const input = await standing.toApply();
    await using byHand = new Floor(other);
    const floorApplyMs = Math.round(await byHand.time(APPLY, input));
    say(`the same by hand: ${floorApplyMs} ms`);

    const noops: number[] = [];
    const floors: number[] = [];
    let noopTrips = 0;
    await using reading = new Floor(web);
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = await roundTrips(hw);
      const [ms, plan] = await timed(async () => hw.plan(verify("@web1")));
      if (!plan.empty) throw new Error(`the second plan is not empty:\n${plan.render().slice(0, 2000)}`);
      noopTrips = (await roundTrips(hw)) - start;
      noops.push(ms);
      floors.push(Math.round(await reading.time(READ, standing.toRead())));
    }
    const [noopMs, floorNoopMs] = [median(noops), median(floors)];
    say(`no-op verify: ${noopMs} ms (${noops.join(", ")}), ${noopTrips} round trips`);
    say(`the same by hand: ${floorNoopMs} ms (${floors.join(", ")})`);
    say(`planning the verify of one site: ${await oneSiteCpu(hw)} ms of CPU`);
    return {
      sites,
      noopMs,
      floorNoopMs,
      noopRatio: ratio(noopMs, floorNoopMs),
      applyMs,
      floorApplyMs,
      applyRatio: ratio(applyMs, floorApplyMs),
      roundTrips: applyTrips + noopTrips,
    };
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** All that a server has without sites: both hosts start alike. */
async function prepareServer(hw: Hostwright, host: TestHost): Promise<void> {
  const services = [nginx.service(), phpFpm.service({ version: "8.4" }), mysql.service()];
  await hw.servers.put({ name: host.name, connect: connect(host), services });
  await hw.run(verify(`@${host.name}`));
}

async function siteResources(stateDir: string, hw: Hostwright): Promise<readonly RegisteredResource[]> {
  const { store } = await openState({ stateDir });
  try {
    const server = await hw.servers.get("web1");
    const rows = await store.register.onServer(server.id);
    return rows.filter((row) => row.owner.startsWith("site/"));
  } finally {
    await store.close();
  }
}

async function oneSiteCpu(hw: Hostwright): Promise<number> {
  const site = (await hw.sites.list())[0]?.domain ?? "";
  const used: number[] = [];
  for (let round = 0; round < CPU_ROUNDS; round += 1) {
    const start = process.cpuUsage();
    await hw.plan(verify(site));
    const { user, system } = process.cpuUsage(start);
    used.push(Math.round((user + system) / 100) / 10);
  }
  return median(used);
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [number, T]> {
  const started = performance.now();
  const value = await work();
  return [Math.round(performance.now() - started), value];
}

function ratio(ms: number, floorMs: number): number {
  return Math.round((ms / floorMs) * 100) / 100;
}
