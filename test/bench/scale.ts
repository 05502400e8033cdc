import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, PART, provide, verify, type Hostwright } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import type { EngineParts } from "../../packages/core/src/engine/planning/task-engine.ts";
import { Telemetry } from "../../packages/core/src/engine/telemetry.ts";
import type { Worker } from "../../packages/core/src/engine/workers/worker.ts";
import { newId } from "../../packages/core/src/model/ids.ts";
import { newHolder } from "../../packages/core/src/store/holder.ts";
import { wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts } from "../hosts/hosts.ts";
import { connect } from "../support/fleet.ts";
import { heapInUse } from "../support/heap.ts";
import { recordSites } from "../support/many-sites.ts";
import { longestBlock } from "./event-loop.ts";
import { median, rounded } from "./figures.ts";
import { fillStore, type Estate } from "./fill-store.ts";

/** In ms; of processor time, but for `open`. */
interface Measured {
  readonly open: number;
  readonly planOneSite: number;
  readonly recordById: number;
  readonly recordByName: number;
  readonly firstPages: Readonly<Record<string, number>>;
  readonly lookForDead: number;
  /** Of a task among so many waiting, and among four times as many. */
  readonly waiting: readonly [few: number, many: number];
}

export interface ScaleFigures {
  readonly estate: Estate;
  readonly blocks: Readonly<Record<string, number>>;
  readonly small: Measured;
  readonly large: Measured;
  /** Of the heap in use, large to small. */
  readonly memoryRatio: number;
  /** What is over its bound. */
  readonly over: readonly string[];
}

/** Of the estate that the figures are promised for (ARCHITECTURE.md, "Bounded"). */
export const ESTATE: Estate = { servers: 100, sites: 100_000, resources: 20, tasks: 200_000, events: 1_000_000 };

const MOST = { block: 50, open: 100, planOneSite: 30, record: 1, page: 20, lookForDead: 5, waiting: 1.5, memory: 1.2 };
const ROUNDS = 25;
const WAITING = 500;
const SITES_OF_ONE = 500;

interface Opened extends AsyncDisposable {
  readonly hw: Hostwright;
  readonly engine: EngineParts;
  readonly worker: Worker;
}

/** One server with 500 sites is worked; then the same is asked of the installation once it is a large one. */
export async function benchScale(estate: Estate, say: (line: string) => void): Promise<ScaleFigures> {
  const codebases = await wordpressCodebases();
  say("Booting a host ...");
  await using hosts = await startHosts([{ name: "web1", services: ["mariadb"] }]);
  const stateDir = await mkdtemp(join(tmpdir(), "hostwright-scale-"));
  try {
    const host = hosts.host("web1");
    const like = await (async () => {
      await using instance = await open(stateDir);
      const { hw } = instance;
      const services = [nginx.service(), phpFpm.service({ version: "8.4" }), mysql.service()];
      await hw.servers.put({ name: "web1", connect: connect(host), services });
      const source = { path: codebases["6.8"] };
      await hw.platforms.put({ name: "wordpress", server: "web1", type: wordpress.platform(), source });
      await hw.run(verify("@wordpress"));
      const sites = await recordSites(stateDir, "wordpress", SITES_OF_ONE);
      return sites[0]?.domain ?? "";
    })();
    const blocks = await blocksOf(stateDir, say);
    const small = await measure(stateDir, like, say);
    const smallHeap = await heapOf(stateDir, like);
    say(`Filling the store: ${JSON.stringify(estate)} ...`);
    await fill(stateDir, like, estate);
    const large = await measure(stateDir, like, say);
    const memoryRatio = rounded((await heapOf(stateDir, like)) / smallHeap, 2);
    return { estate, blocks, small, large, memoryRatio, over: overBounds(blocks, large, memoryRatio) };
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function open(stateDir: string): Promise<Opened> {
  let known: Pick<Opened, "engine" | "worker"> | undefined;
  const hw = await createHostwright({
    stateDir,
    plugins: [nginx, phpFpm, mysql, wordpress],
    provide: [
      provide(PART.telemetry, (parts) => {
        known = { engine: parts.get(PART.engine), worker: parts.get(PART.worker) };
        return new Telemetry(parts.get(PART.events));
      }),
    ],
  });
  if (known === undefined) throw new Error("the telemetry was not made");
  return { hw, ...known, [Symbol.asyncDispose]: async () => hw[Symbol.asyncDispose]() };
}

async function fill(stateDir: string, like: string, estate: Estate): Promise<void> {
  await using instance = await open(stateDir);
  await fillStore(instance.engine.store, like, estate);
}

/** The longest that each part of the work on 500 sites of one server keeps the event loop from turning. */
async function blocksOf(stateDir: string, say: (line: string) => void): Promise<Readonly<Record<string, number>>> {
  await using instance = await open(stateDir);
  const { hw } = instance;
  let plan: Awaited<ReturnType<Hostwright["plan"]>> | undefined;
  const parts = {
    "plan and seal": async () => void (plan = await hw.plan(verify("@web1"))),
    render: async () => plan?.render(),
    run: async () => hw.run(verify("@web1")),
    "plan again": async () => hw.plan(verify("@web1")),
  };
  const blocks: Record<string, number> = {};
  for (const [name, work] of Object.entries(parts)) {
    blocks[name] = rounded(await longestBlock(work), 1);
    say(`${SITES_OF_ONE} sites, ${name}: at most ${blocks[name]} ms without a turn of the event loop`);
  }
  return blocks;
}

async function measure(stateDir: string, like: string, say: (line: string) => void): Promise<Measured> {
  const opens: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const from = performance.now();
    await using _instance = await open(stateDir);
    opens.push(performance.now() - from);
  }
  await using instance = await open(stateDir);
  const { hw, engine, worker } = instance;
  const { id } = await hw.sites.get(like);
  const stop = new AbortController().signal;
  const pages = {
    sites: async () => hw.sites.list({ limit: 50 }),
    "sites further on": async () => hw.sites.list({ limit: 50, after: "scale-5" }),
    platforms: async () => hw.platforms.list({ limit: 50 }),
    servers: async () => hw.servers.list({ limit: 50 }),
    tasks: async () => hw.tasks.list({ limit: 50 }),
    "tasks of one site": async () => hw.tasks.list({ limit: 50, subject: like }),
    "tasks that wait": async () => hw.tasks.list({ limit: 50, state: "queued" }),
    events: async () => engine.store.events.after(0, { limit: 50 }),
  };
  const firstPages: Record<string, number> = {};
  for (const [name, work] of Object.entries(pages)) firstPages[name] = await cpu(work);
  const measured: Measured = {
    open: rounded(median(opens), 1),
    planOneSite: await cpu(async () => hw.plan(verify(like))),
    recordById: await cpu(async () => hw.sites.get(id), 200),
    recordByName: await cpu(async () => hw.sites.get(like), 200),
    firstPages,
    lookForDead: await cpu(async () => worker.lookForDead(stop), 200),
    waiting: [await waiting(engine, WAITING), await waiting(engine, WAITING * 4)],
  };
  say(JSON.stringify(measured));
  return measured;
}

/** Of processor time, the median. */
async function cpu(work: () => Promise<unknown>, rounds = ROUNDS): Promise<number> {
  const used: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    used.push((user + system) / 1000);
  }
  return rounded(median(used), 3);
}

/** What the store takes for one of so many tasks of a tenth as many sites, from its submission to its end. */
async function waiting({ store }: EngineParts, count: number): Promise<number> {
  const holder = newHolder();
  const before = process.cpuUsage();
  for (let number = 0; number < count; number += 1) {
    const subject = `site/waiting-${number % (count / 10)}`;
    const id = newId("t");
    const request = { type: "site:verify", site: subject };
    const common = { plan: null, actor: "system", key: null, timeoutMs: null, createdAt: new Date().toISOString() };
    const wants = { subject, scopes: [{ scope: subject, mode: "exclusive" as const }] };
    await store.tasks.submit({ id, type: "site:verify", request, ...common }, wants);
  }
  for (let number = 0; number < count; number += 1) {
    const id = await store.leases.next(new Set());
    if (id === null) throw new Error("nobody is next");
    await store.leases.claim(id, holder);
    const gone = { deleteRecords: [], discards: [], eraseSecrets: [] };
    const outcome = { state: "succeeded", value: {}, error: null, residue: [] };
    const finishedAt = new Date().toISOString();
    await store.tasks.end(id, ["running"], { state: "succeeded", outcome, finishedAt, ...gone });
    await store.leases.release(id);
  }
  const { user, system } = process.cpuUsage(before);
  return rounded((user + system) / 1000 / count, 3);
}

async function heapOf(stateDir: string, like: string): Promise<number> {
  await using instance = await open(stateDir);
  for (let round = 0; round < ROUNDS; round += 1) await instance.hw.plan(verify(like));
  return await heapInUse();
}

function overBounds(blocks: ScaleFigures["blocks"], large: Measured, memoryRatio: number): readonly string[] {
  const [few, many] = large.waiting;
  const bounded: readonly (readonly [what: string, value: number, most: number])[] = [
    ...Object.entries(blocks).map(([name, value]) => [`block: ${name}`, value, MOST.block] as const),
    ...Object.entries(large.firstPages).map(([name, value]) => [`first page: ${name}`, value, MOST.page] as const),
    ["start of an instance", large.open, MOST.open],
    ["planning one site", large.planOneSite, MOST.planOneSite],
    ["record by id", large.recordById, MOST.record],
    ["record by name", large.recordByName, MOST.record],
    ["look for the dead", large.lookForDead, MOST.lookForDead],
    ["a waiting task, of four times as many", rounded(many / few, 2), MOST.waiting],
    ["memory", memoryRatio, MOST.memory],
  ];
  return bounded
    .filter(([, value, most]) => !(value <= most))
    .map(([what, value, most]) => `${what}: ${value} > ${most}`);
}
