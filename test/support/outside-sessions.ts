import type { OutsidePackage } from "./outside-folder.ts";

/** A package whose sites of a kind of its own have something of a type of its own, and which brings a kind of task. */
const ACME = `import type { BackingRole } from "@hostwright/core/plugin";
import { hostName, hostNames } from "./resource.ts";
import { exampleSessions } from "./sessions.ts";
export { suspends, suspendSite } from "./suspend.ts";
export { noteOn, notes } from "./task.ts";

const [service] = exampleSessions.services ?? [];
if (service === undefined) throw new Error("the example has no service");
const role = service.role as BackingRole;
const site: BackingRole["site"] = (request, server) => [
  ...role.site(request, server),
  hostName({ name: request.siteId + ".sessions.internal", address: "127.0.0.1" }),
];

export const sessions: typeof exampleSessions = {
  ...exampleSessions,
  name: "acme-sessions",
  services: [{ ...service, role: { ...role, site } }],
  resourceTypes: [hostNames],
};
`;

/** What a program from outside is told, as JSON on its standard input. */
export interface SessionsOrder {
  readonly work: "prepare" | "install" | "recover" | "suspend";
  readonly stateDir: string;
  readonly host: {
    readonly address: string;
    readonly port: number;
    readonly user: string;
    readonly hostKey: string;
    readonly privateKey: string;
  };
  readonly source: string;
  readonly domain: string;
  /** Of an install that another process began. */
  readonly task: string;
  /** Where it dies, in the step that has the site's sessions or right after it. */
  readonly dieAt: "in the middle of" | "right after" | null;
  /** Where every page leads of a site that is suspended; null: nowhere. */
  readonly notice: string | null;
  /** Its page is looked for in vain after it was suspended. */
  readonly fails: boolean;
}

const PROGRAM = `import { writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { createHostwright, install, isHostwrightError, secret, ssh, verify } from "@hostwright/core";
import { type Planning, type Plugin, siteParts } from "@hostwright/core/plugin";
import { noteOn, notes, sessions, suspends, suspendSite } from "acme-sessions";
import { examplePostgres } from "./database.ts";
import { exampleHttp } from "./http.ts";
import { examplePhp } from "./php.ts";
import { guestbook } from "./platform.ts";

interface Order {
  work: string;
  stateDir: string;
  host: { address: string; port: number; user: string; hostKey: string; privateKey: string };
  source: string;
  domain: string;
  task: string;
  dieAt: string | null;
  notice: string | null;
  fails: boolean;
}

const { work, stateDir, host, source, domain, task: unfinished, dieAt, notice, fails } = JSON.parse(await text(process.stdin)) as Order;
// At once: what is still in a buffer dies with the process.
const tell = (line: object): void => void writeSync(1, JSON.stringify(line) + "\\n");
const die = (): void => void process.kill(process.pid, "SIGKILL");

const types = (sessions.resourceTypes ?? []).map((type) => ({
  ...type,
  apply: async (...given: Parameters<typeof type.apply>) => {
    await type.apply(...given);
    if (dieAt === "in the middle of") die();
  },
}));
const acme = { ...sessions, resourceTypes: types };
const looksInVain = (suspends.tasks ?? []).map((task) => ({
  ...task,
  plan: async (context: Planning, input: never) => {
    const draft = await task.plan(context, input);
    const { heads } = await siteParts(context, await context.inventory.site(domain));
    const [{ server, http, httpView }] = heads;
    const look = { domain, port: http.role.port(httpView), path: "/", status: 418 };
    const step = { kind: "run", title: "look in vain", server, phase: "prepare", when: "always" } as const;
    return { ...draft, steps: [...draft.steps, { ...step, operation: "probe-page", input: look }] };
  },
}));
const suspending: Plugin = fails ? { ...suspends, tasks: looksInVain } : suspends;
const plugins = [exampleHttp, examplePhp, examplePostgres, guestbook, acme, notes, suspending];
const hw = await createHostwright({ stateDir, plugins });
tell({ core: import.meta.resolve("@hostwright/core") });

if (work === "prepare") {
  const { address, port, user, hostKey, privateKey } = host;
  const services = [exampleHttp.service(), examplePhp.service(), examplePostgres.service(), acme.service({}, "store")];
  const connect = ssh({ host: address, port, user, hostKey, privateKey: secret(privateKey) });
  await hw.servers.put({ name: "web1", connect, services });
  await hw.platforms.put({ name: "book", server: "web1", type: guestbook.platform(), source: { path: source } });
  for (const alias of ["web1", "book"]) await hw.run(verify(alias));
}

if (work === "install") {
  const task = await hw.submit(install(domain, { platform: "book", bindings: { sessions: "web1:store" } }));
  tell({ task: task.id });
  hw.work({ concurrency: 1 });
  for await (const { task: about, type, payload } of hw.events({ after: 0 })) {
    if (about !== task.id) continue;
    if (type === "task:finished") break;
    if (dieAt === "right after" && type === "action:finished" && payload.title.includes("session store")) die();
  }
  tell({ ended: await task.outcome() });
}

if (work === "suspend") {
  const request = suspendSite(domain, notice);
  const plan = await hw.plan(request);
  const planned = plan.actions.map(({ title }) => title);
  try {
    const { status } = await hw.run(plan);
    const again = (await hw.plan(request)).actions.length + (await hw.plan(verify(domain))).actions.length;
    tell({ planned, status, again });
  } catch (error) {
    if (!isHostwrightError(error)) throw error;
    const { state, residue } = error.data;
    tell({ planned, code: error.code, state, residue, differs: (await hw.plan(verify(domain))).actions.length });
  }
  tell({ check: await hw.check() });
}

if (work === "recover") {
  const working = hw.work();
  const { state, residue } = await hw.task(unfinished).outcome();
  const noted = (await hw.run(noteOn("web1", "recovered"))).server;
  const { actions, value } = await hw.plan(verify("web1"));
  const found = { actions: actions.map(({ title }) => title), problems: value.problems, check: await hw.check() };
  const site = (await hw.sites.list()).find((one) => one.domain === domain)?.id ?? null;
  tell({ state, residue, noted, site, ...found });
  await working[Symbol.asyncDispose]();
}

await hw[Symbol.asyncDispose]();
`;

/** A kind of service, a kind of resource and kinds of task, on a server and on a site. */
export const outsideSessions: OutsidePackage = {
  name: "acme-sessions",
  examples: ["sessions", "suspend", "task", "resource"],
  index: ACME,
  beside: ["http", "php", "database", "platform"],
  program: PROGRAM,
};
