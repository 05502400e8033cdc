import { deleteSite, disable, enable, install, verify, type HostwrightEvent, type SiteRecord } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { FULL } from "./faults/scope.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wordpressCodebases } from "./hosts/codebases.ts";
import { homeOf, startFleet, type Fleet } from "./support/fleet.ts";
import { figure } from "./support/figures.ts";
import { page } from "./support/page.ts";
import { StateFolder } from "./support/state-folder.ts";
import { WorkerProcesses } from "./support/worker-processes.ts";

const PROCESSES = 4;
/** Also by one worker process, to compare: `npm run test:concurrency`. */
const COMPARED = process.env["HOSTWRIGHT_TEST_CONCURRENCY"] === "compared";
const SITES = FULL || COMPARED ? 10 : 6;
const TASKS = 5 * SITES;
const OLD = "old.example.com";
const NEW = "new.example.com";
const domains = Array.from({ length: SITES }, (_, index) => `site${index}.example.com`);

type Request = Parameters<Fleet["hw"]["submit"]>[0] & { readonly type: string };

interface Asked {
  readonly id: string;
  /** Domain or alias of what it works on. */
  readonly on: string;
  readonly request: Request;
}

interface Round {
  readonly asked: readonly Asked[];
  readonly events: readonly HostwrightEvent[];
  readonly seconds: number;
  /** As the host's own journal counts them. */
  readonly reloads: number;
  /** Of each site's record: how often it was written. */
  readonly writes: ReadonlyMap<string, number>;
}

let fleet: Fleet;
let state: StateFolder;

beforeAll(async () => {
  fleet = await startFleet("one host");
  state = new StateFolder(fleet.stateDir);
  const { hw } = fleet;
  const source = { path: (await wordpressCodebases())["6.8"] };
  await hw.platforms.put({ name: "wordpress", server: "web1", type: wordpress.platform(), source });
  await hw.run(verify("@web1"));
  await hw.run(verify("@wordpress"));
  await using _workers = await WorkerProcesses.start(fleet.stateDir, PROCESSES);
  const tasks = await Promise.all(domains.map(async (domain) => hw.submit(install(domain, { platform: "wordpress" }))));
  for (const task of tasks) await task.result();
});

afterAll(async () => {
  state.close();
  await fleet[Symbol.asyncDispose]();
});

/** Five tasks a site in turn, and in their midst an install, a delete and the verify of the whole server. */
function requests(): readonly Pick<Asked, "on" | "request">[] {
  const kinds = [verify, disable, enable, verify, disable];
  const all = kinds.flatMap((_, round) =>
    domains.map((domain, index) => ({
      on: domain,
      request: (kinds[(round + index) % kinds.length] ?? verify)(domain) as Request,
    })),
  );
  all.splice(TASKS / 5, 1, { on: NEW, request: install(NEW, { platform: "wordpress" }) });
  all.splice(TASKS / 2, 1, { on: "@web1", request: verify("@web1") });
  all.splice((4 * TASKS) / 5, 1, { on: OLD, request: deleteSite(OLD) });
  return all;
}

/** What was changed behind our back: settings of every site, modes, and every other site's entry. */
async function drift(sites: readonly SiteRecord[]): Promise<void> {
  for (const [index, site] of sites.entries()) {
    await fleet.web.sh(`cd ${homeOf(site)} && echo '# drift' >> conf/settings.php && chmod 0777 conf`);
    if (index % 2 === 1) continue;
    await fleet.web.sh(`for e in /etc/hostwright/nginx/entries/*${site.id}*; do echo '# drift' >> "$e"; done`);
  }
}

async function reloads(): Promise<number> {
  return Number(await fleet.web.sh("journalctl -q -o cat -u nginx | grep -c '^Reloaded nginx' || true"));
}

function versions(): ReadonlyMap<string, number> {
  const rows = state.rows().split("\n");
  const sites = rows.map((row) => row.split(" ")).filter(([what, kind]) => what === "record" && kind === "site");
  return new Map(sites.map(([, , , name = "", version]) => [name, Number(version)]));
}

/** All tasks by so many worker processes, from the same beginning each time. */
async function work(processes: number): Promise<Round> {
  const { hw, stateDir } = fleet;
  const known = (await hw.sites.list()).map(({ domain }) => domain);
  if (known.includes(NEW)) await hw.run(deleteSite(NEW));
  if (!known.includes(OLD)) await hw.run(install(OLD, { platform: "wordpress" }));
  await Promise.all(domains.map(async (domain) => hw.run(enable(domain))));
  await drift((await hw.sites.list()).filter(({ domain }) => domains.includes(domain)));
  await using _workers = await WorkerProcesses.start(stateDir, processes);
  const [reloadsBefore, before, started] = [await reloads(), versions(), performance.now()];
  const asked: Asked[] = [];
  for (const { on, request } of requests()) asked.push({ id: (await hw.submit(request)).id, on, request });
  expect(asked).toHaveLength(TASKS);
  for (const { id, on, request } of asked) {
    const { state: end, error } = await hw.task(id).outcome();
    expect({ on, type: request.type, end, error }).toEqual({ on, type: request.type, end: "succeeded", error: null });
  }
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const writes = new Map([...versions()].map(([name, version]) => [name, version - (before.get(name) ?? 0)]));
  return { asked, seconds, reloads: (await reloads()) - reloadsBefore, writes, events: await eventsOf(asked) };
}

async function eventsOf(asked: readonly Asked[]): Promise<readonly HostwrightEvent[]> {
  const all: HostwrightEvent[] = [];
  for (const { id } of asked) {
    for await (const event of fleet.hw.task(id).events()) {
      all.push(event);
      if (event.type === "task:finished") break;
    }
  }
  return all.toSorted((a, b) => a.seq - b.seq);
}

/** First and last event of each task's actions. */
function spans({ asked, events }: Round): readonly (Asked & { readonly from: number; readonly to: number })[] {
  return asked.flatMap((one) => {
    const seqs = events
      .filter((event) => event.task === one.id && event.type.startsWith("action:"))
      .map(({ seq }) => seq);
    return seqs.length === 0 ? [] : [{ ...one, from: Math.min(...seqs), to: Math.max(...seqs) }];
  });
}

function overlapping(round: Round): readonly string[] {
  const all = spans(round);
  return all.flatMap((one) =>
    all
      .filter((other) => other.id !== one.id && one.from < other.to && other.from < one.to)
      .filter((other) => other.on === one.on || other.on === "@web1")
      .map((other) => `${one.request.type} ${one.on} with ${other.request.type} ${other.on}`),
  );
}

/** Tasks that were submitted after the server's verify, or after another of their site, and began before it. */
function overtaking({ asked, events }: Round): readonly string[] {
  const began = (id: string): number =>
    events.find(({ task, type }) => task === id && type === "task:started")?.seq ?? Infinity;
  return asked.flatMap((one, index) =>
    asked
      .slice(0, index)
      .filter((before) => before.on === one.on || before.on === "@web1" || one.on === "@web1")
      .filter((before) => began(before.id) > began(one.id))
      .map((before) => `${one.request.type} ${one.on} before ${before.request.type} ${before.on}`),
  );
}

/** Publications that wait for the one under way, as the host sees them. */
async function waitingPublications(): Promise<number> {
  return Number(await fleet.web.sh("pgrep -fxc 'flock -w 120 9' || true"));
}

test("publications of many sites that wait together take one reload", async () => {
  const { hw, web, stateDir } = fleet;
  await Promise.all(domains.map(async (domain) => hw.run(enable(domain))));
  await using _workers = await WorkerProcesses.start(stateDir, PROCESSES);
  const before = await reloads();
  await web.sh("systemd-run -q --unit hold-publications flock /etc/hostwright/nginx/publish.lock sleep 100");
  const tasks = await Promise.all(domains.map(async (domain) => hw.submit(disable(domain))));
  await expect.poll(waitingPublications, { timeout: 60_000, interval: 200 }).toBe(SITES);
  await web.sh("systemctl stop hold-publications");
  for (const task of tasks) await task.result();
  expect((await reloads()) - before).toBe(1);
  for (const domain of domains) expect((await page(web, domain, "/")).status).toBe(503);
});

test("five tasks a site by four worker processes: each change is there, none at once, reloads shared, nobody starves", async () => {
  const { hw, web } = fleet;
  const alone = COMPARED ? await work(1) : null;
  const together = await work(PROCESSES);

  expect(overlapping(together)).toEqual([]);
  expect(overtaking(together)).toEqual([]);

  const sites = await hw.sites.list();
  expect(sites.map(({ domain }) => domain).toSorted()).toEqual([...domains, NEW].toSorted());
  for (const domain of domains) {
    const switches = together.asked.filter(({ on, request }) => on === domain && request.type !== "alias:verify");
    // A customer's last word is the last thing done.
    const enabled = switches.at(-1)?.request.type === "site:enable";
    expect({ domain, enabled: sites.find((site) => site.domain === domain)?.enabled }).toEqual({ domain, enabled });
    expect({ domain, status: (await page(web, domain, "/")).status }).toEqual({
      domain,
      status: enabled ? 200 : 503,
    });
    expect({ domain, writes: together.writes.get(domain) }).toEqual({ domain, writes: switches.length });
  }
  expect((await page(web, NEW, "/")).status).toBe(200);
  expect((await hw.plan(verify("@web1"))).actions.map(({ title }) => title)).toEqual([]);

  const publishing = new Set(
    together.events
      .filter((event) => event.type === "action:finished" && /^publish |sites of /.test(event.payload.title))
      .map(({ task }) => task),
  ).size;
  expect(together.reloads).toBeGreaterThan(0);
  expect(together.reloads / publishing).toBeLessThan(2 / 3);
  figure(`${TASKS} tasks by ${PROCESSES} worker processes, seconds`, together.seconds);
  figure("publishing tasks and their web server reloads", `${publishing}, ${together.reloads}`);
  if (alone === null) return;
  figure("the same by one worker process, seconds and reloads", `${alone.seconds}, ${alone.reloads}`);
  figure("ratio", Math.round((together.seconds / alone.seconds) * 100) / 100);
});
