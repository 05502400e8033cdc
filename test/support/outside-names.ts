import type { OutsidePackage } from "./outside-folder.ts";

/** A package whose names stand at an API, and whose kind of task puts names there and then looks for another. */
const ACME = `import { CONTRACT, defineTask, HostwrightError, type Operation, type Plugin } from "@hostwright/core/plugin";
import * as z from "zod";
import { dnsRecord } from "./dns.ts";
export { exampleDns as dns } from "./dns.ts";

const look: Operation<{ readonly name: string }> = {
  name: "acme-look",
  version: 1,
  async run({ target }, { name }) {
    const found = await dnsRecord.read(target, [name], { contents: true });
    if (!found.has(name)) throw new HostwrightError("HW_PREREQUISITE_MISSING", name + " is not there.");
    return null;
  },
  probe: async () => "absent",
  undo: async () => undefined,
};

const publish = defineTask({
  type: "names:publish",
  version: 1,
  input: z.strictObject({ server: z.string(), names: z.record(z.string(), z.ipv4()), lookFor: z.string() }),
  value: z.strictObject({ names: z.array(z.string()) }),
  request: (server: string, names: Readonly<Record<string, string>>, lookFor: string) => ({ server, names, lookFor }),
  title: ({ server }) => "names at " + server,
  subject: ({ server }) => ({ server }),
  async plan({ inventory }, { server: name, names, lookFor }) {
    const server = inventory.server(name);
    const owner = \`server/\${server.id}\`;
    const items = Object.entries(names).map(([one, address]) => {
      return { type: dnsRecord.name, spec: { name: one, address }, owner };
    });
    const common = { server, phase: "prepare" } as const;
    return {
      title: "names at " + server.name,
      about: [owner],
      steps: [
        { ...common, kind: "ensure", title: "names", items },
        { ...common, kind: "run", title: "look", operation: look.name, input: { name: lookFor }, when: "always" },
      ],
      value: { names: Object.keys(names) },
    };
  },
});

export const publishing: Plugin = {
  name: "acme-publishing",
  contract: CONTRACT,
  requires: [{ service: "dns" }],
  tasks: [publish],
  operations: [look],
};
export const publishNames = publish.request;
`;

/** What its program is told. */
export interface NamesOrder {
  readonly work: "prepare" | "plan" | "run" | "submit" | "recover";
  readonly stateDir: string;
  readonly url: string;
  readonly token: string;
  readonly names: Readonly<Record<string, string>>;
  /** Another name, without which the task fails in the end. */
  readonly lookFor: string;
  /** Of what another process began. */
  readonly task: string;
}

const PROGRAM = `import { writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { api, createHostwright, isHostwrightError, secret, verify } from "@hostwright/core";
import { dns, publishing, publishNames } from "acme-names";

interface Order {
  work: string;
  stateDir: string;
  url: string;
  token: string;
  names: Record<string, string>;
  lookFor: string;
  task: string;
}

const { work, stateDir, url, token, names, lookFor, task } = JSON.parse(await text(process.stdin)) as Order;
// At once: what is still in a buffer dies with the process.
const tell = (line: object): void => void writeSync(1, JSON.stringify(line) + "\\n");

const hw = await createHostwright({ stateDir, plugins: [dns, publishing] });
const request = publishNames("dns", names, lookFor);

if (work === "prepare") {
  const services = [dns.service({ url, records: names })];
  await hw.servers.put({ name: "dns", connect: api(secret(token)), services });
  tell({ core: import.meta.resolve("@hostwright/core") });
}

if (work === "plan") tell({ plan: (await hw.plan(request)).render() });

if (work === "run") {
  try {
    const { names } = await hw.run(request);
    tell({ names, actions: (await hw.plan(verify("dns"))).actions.map(({ title }) => title) });
  } catch (error) {
    if (!isHostwrightError(error)) throw error;
    const { state, residue } = error.data;
    tell({ code: error.code, state, residue });
  }
  tell({ check: await hw.check() });
}

if (work === "submit") {
  const submitted = await hw.submit(request);
  tell({ task: submitted.id });
  hw.work();
  await submitted.outcome();
}

if (work === "recover") {
  const working = hw.work();
  const { state, residue } = await hw.task(task).outcome();
  tell({ state, residue, check: await hw.check() });
  await working[Symbol.asyncDispose]();
}

await hw[Symbol.asyncDispose]();
`;

/** A kind of service, a kind of resource and a kind of task at an API without a machine. */
export const outsideNames: OutsidePackage = {
  name: "acme-names",
  examples: ["dns"],
  index: ACME,
  beside: [],
  program: PROGRAM,
};
