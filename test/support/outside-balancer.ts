import type { OutsidePackage } from "./outside-folder.ts";
import type { SessionsOrder } from "./outside-sessions.ts";

/** A package whose service, of a kind of its own, publishes; its kind of task puts pools in force and then may fail. */
const ACME = `import { CONTRACT, defineTask, HostwrightError, type Operation, type Plugin } from "@hostwright/core/plugin";
import * as z from "zod";
import { exampleBalancer, poolEntry } from "./balancer.ts";
export { exampleBalancer as balancer } from "./balancer.ts";

const refuse: Operation<object> = {
  name: "acme-refuse",
  version: 1,
  run: async () => { throw new HostwrightError("HW_PREREQUISITE_MISSING", "It is not wanted after all."); },
  probe: async () => "absent",
  undo: async () => undefined,
};

const Pools = z.record(z.string(), z.strictObject({ port: z.int(), servers: z.array(z.string()) }));

const balance = defineTask({
  type: "balancer:balance",
  version: 1,
  input: z.strictObject({ server: z.string(), pools: Pools, fails: z.boolean() }),
  value: z.strictObject({ pools: z.array(z.string()) }),
  request: (server: string, pools: z.output<typeof Pools>, fails: boolean) => ({ server, pools, fails }),
  title: ({ server }) => "pools of " + server,
  subject: ({ server }) => ({ server }),
  async plan({ inventory }, { server: name, pools, fails }) {
    const server = inventory.server(name);
    const owner = \`server/\${server.id}\`;
    const items = Object.entries(pools).map(([one, pool]) => ({ ...poolEntry(one, pool), owner }));
    const common = { server, phase: "prepare" } as const;
    return {
      title: "pools of " + server.name,
      about: [owner],
      steps: [
        { ...common, kind: "ensure", title: "pools", items },
        { ...common, kind: "activate", title: "activate pools", service: "balancer" },
        ...(fails
          ? [{ ...common, kind: "run", title: "refuse", operation: refuse.name, input: {}, when: "changed" } as const]
          : []),
      ],
      value: { pools: Object.keys(pools) },
    };
  },
});

export const balancing: Plugin = {
  name: "acme-balancing",
  contract: CONTRACT,
  requires: [{ service: "balancer", type: exampleBalancer.services?.[0]?.type ?? "" }],
  tasks: [balance],
  operations: [refuse],
};
export const balanced = balance.request;
`;

/** What its program is told. */
export interface BalancerOrder extends Pick<SessionsOrder, "host" | "stateDir" | "task"> {
  readonly work: "prepare" | "plan" | "run" | "submit" | "recover" | "verify";
  readonly pools: Readonly<Record<string, { readonly port: number; readonly servers: readonly string[] }>>;
  /** After all is in force. */
  readonly fails: boolean;
  /** With which event of its activation the process dies. */
  readonly dieAt: "action:started" | "action:finished" | null;
}

const PROGRAM = `import { writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { createHostwright, isHostwrightError, secret, ssh, verify } from "@hostwright/core";
import { balanced, balancer, balancing } from "acme-balancer";

interface Order {
  work: string;
  stateDir: string;
  host: { address: string; port: number; user: string; hostKey: string; privateKey: string };
  pools: Record<string, { port: number; servers: string[] }>;
  fails: boolean;
  task: string;
  dieAt: string | null;
}

const { work, stateDir, host, pools, fails, task, dieAt } = JSON.parse(await text(process.stdin)) as Order;
// At once: what is still in a buffer dies with the process.
const tell = (line: object): void => void writeSync(1, JSON.stringify(line) + "\\n");

const hw = await createHostwright({ stateDir, plugins: [balancer, balancing] });
const request = balanced("lb1", pools, fails);
const titles = async (): Promise<string[]> => (await hw.plan(request)).actions.map(({ title }) => title);

if (work === "prepare") {
  const { address, port, user, hostKey, privateKey } = host;
  const connect = ssh({ host: address, port, user, hostKey, privateKey: secret(privateKey) });
  await hw.servers.put({ name: "lb1", connect, services: [balancer.service()] });
  await hw.run(verify("lb1"));
  tell({ core: import.meta.resolve("@hostwright/core"), again: (await hw.plan(verify("lb1"))).actions });
}

if (work === "plan") tell({ actions: await titles() });

if (work === "run") {
  try {
    tell({ actions: await titles() });
    tell({ pools: (await hw.run(request)).pools, again: await titles() });
  } catch (error) {
    if (!isHostwrightError(error)) throw error;
    const { state, residue } = error.data;
    tell({ code: error.code, message: error.message, state, residue });
  }
  tell({ check: await hw.check() });
}

if (work === "submit") {
  const submitted = await hw.submit(request);
  tell({ task: submitted.id });
  hw.work();
  for await (const { task: about, type, payload } of hw.events({ after: 0 })) {
    if (about !== submitted.id) continue;
    const isAction = type === "action:started" || type === "action:finished";
    if (isAction && type === dieAt && payload.title === "activate pools") process.kill(process.pid, "SIGKILL");
    if (type === "task:finished") break;
  }
}

if (work === "recover") {
  const working = hw.work();
  const { state, residue } = await hw.task(task).outcome();
  tell({ state, residue, check: await hw.check() });
  await working[Symbol.asyncDispose]();
}

if (work === "verify") {
  await hw.run(verify("lb1"));
  tell({ again: (await hw.plan(verify("lb1"))).actions, check: await hw.check() });
}

await hw[Symbol.asyncDispose]();
`;

/** A service of a kind of its own that publishes, and a kind of task that activates it. */
export const outsideBalancer: OutsidePackage = {
  name: "acme-balancer",
  examples: ["balancer"],
  index: ACME,
  beside: [],
  program: PROGRAM,
};
