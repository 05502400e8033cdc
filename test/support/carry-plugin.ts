import { CONTRACT, defineTask, type Plugin, type TransferStep } from "@hostwright/core/plugin";
import * as z from "zod";

const program = z.array(z.string()).min(1);

/** What goes from one server to another, or stays on one. */
export const Carriage = z.strictObject({
  from: z.string(),
  to: z.string(),
  give: program,
  take: program,
  resume: program.optional(),
  trailer: z.string().optional(),
  idleMs: z.int(),
  bytes: z.int().optional(),
});

const AS_NOBODY = [
  ["User", "nobody"],
  ["ProtectSystem", "strict"],
  ["ReadWritePaths", "/srv/carried"],
] as const;

const carriage = defineTask({
  type: "server:carry",
  version: 1,
  input: Carriage,
  value: z.strictObject({ bytes: z.int(), resumedFrom: z.int().optional() }),
  request: (order: z.input<typeof Carriage>) => order,
  title: ({ from, to }) => `carry from ${from} to ${to}`,
  subject: ({ to }) => ({ server: to }),
  plan: async ({ inventory }, { from, to, give, take, resume, trailer, idleMs, bytes }) => {
    const [giver, taker] = [inventory.server(from), inventory.server(to)];
    const common = { kind: "program", properties: AS_NOBODY, login: "who it is\n" } as const;
    const step: TransferStep = {
      kind: "transfer",
      id: "carry",
      title: `carry to ${to}`,
      server: taker,
      phase: "prepare",
      from: { ...common, server: giver, argv: give, ...(trailer !== undefined && { trailer }) },
      to: { ...common, argv: take, writes: ["/srv/carried"], ...(resume !== undefined && { resume }) },
      idleMs,
      ...(bytes !== undefined && { bytes }),
    };
    const given = (name: string) => ({ ref: "output", step: "carry", name }) as const;
    return {
      title: `carry from ${from} to ${to}`,
      about: [`server/${taker.id}`],
      steps: [step],
      value: {},
      outputs: { bytes: given("bytes"), resumedFrom: given("resumedFrom") },
    };
  },
});

/** Asks for it. */
export const carry: typeof carriage.request = carriage.request;

/** A package whose task moves bytes between any two servers, from program to program. */
export const carrying: Plugin = { name: "carrying", contract: CONTRACT, tasks: [carriage] };
