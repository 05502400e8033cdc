import { parseArgs } from "node:util";
import { isHostwrightError } from "@hostwright/core";
import { benchHubMemory, HUB_MB } from "./hub-memory.ts";
import { benchImport, MOST_RATIO } from "./import.ts";
import { benchJournal } from "./journal.ts";
import { benchMemory } from "./memory.ts";
import { benchScale, ESTATE } from "./scale.ts";
import { benchServe } from "./serve.ts";
import { benchSites } from "./sites.ts";
import { benchVerify } from "./verify.ts";

const USAGE = `usage: npm run bench -- verify [--sites 500] [--json]
       npm run bench -- import [--runs 15] [--json]
       npm run bench -- journal [--actions 300] [--json]
       npm run bench -- memory [--tasks 10000] [--json]
       npm run bench -- hub-memory [--commands 10000] [--files 200000] [--json]
       npm run bench -- scale [--sites 100000] [--json]
       npm run bench -- serve [--pairs 15] [--json]
       npm run bench -- sites [--sites 1000] [--json]`;

type Say = (line: string) => void;

interface Options {
  readonly sites: number;
  readonly runs: number;
  readonly actions: number;
  readonly tasks: number;
  readonly commands: number;
  readonly files: number;
  readonly pairs: number;
}

/** Of `--sites`, where it is not said. */
const SITES: Readonly<Record<string, number>> = { verify: 500, sites: 1000, scale: ESTATE.sites };

const BENCHES: Readonly<Record<string, (options: Options, say: Say) => Promise<unknown>>> = {
  verify: async ({ sites }, say) => {
    const figures = await benchVerify(sites, say);
    say(`no-op ${figures.noopRatio} x its floor, first apply ${figures.applyRatio} x`);
    return figures;
  },
  import: async ({ runs }, say) => {
    const figures = benchImport(runs, say);
    say(`core takes ${figures.ratio} x; it may take ${MOST_RATIO} x`);
    if (!(figures.ratio <= MOST_RATIO)) process.exitCode = 1;
    return figures;
  },
  journal: async ({ actions }, say) => {
    const figures = await benchJournal(actions, say);
    say(`the engine adds ${figures.overheadMs} ms to an action`);
    return figures;
  },
  memory: async ({ tasks }, say) => {
    const figures = await benchMemory(tasks, say);
    say(`the heap grows by ${figures.bytesPerTask} bytes a task`);
    return figures;
  },
  "hub-memory": async ({ commands, files }, say) => {
    const sizes = { commands, files, floods: 60, connections: 40, stallMs: 3000 };
    const figures = await benchHubMemory({ ...sizes, apart: true }, say);
    say(`the hub had at most ${figures.highestMb} MB; it may have ${HUB_MB}`);
    if (!(figures.highestMb < HUB_MB)) process.exitCode = 1;
    return figures;
  },
  scale: async ({ sites }, say) => {
    const times = sites / ESTATE.sites;
    const [tasks, events] = [Math.ceil(ESTATE.tasks * times), Math.ceil(ESTATE.events * times)];
    const figures = await benchScale({ ...ESTATE, sites, tasks, events }, say);
    say(figures.over.length === 0 ? "all is within its bounds" : `over its bounds: ${figures.over.join("; ")}`);
    if (figures.over.length > 0) process.exitCode = 1;
    return figures;
  },
  serve: async ({ pairs }, say) => {
    const figures = await benchServe(pairs, say);
    say(`at least ${figures.lowestRatio} x by the clock, ${figures.lowestProcessorRatio} x by processor time`);
    return figures;
  },
  sites: async ({ sites }, say) => {
    const figures = await benchSites(sites, say);
    for (const [name, { roundTrips, bytes }] of Object.entries(figures.growth))
      say(
        `${name}: changing one site of ten times as many costs ${roundTrips} x the round trips, ${bytes} x the bytes`,
      );
    return figures;
  },
};

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function bench(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      sites: { type: "string" },
      runs: { type: "string", default: "15" },
      actions: { type: "string", default: "300" },
      tasks: { type: "string", default: "10000" },
      commands: { type: "string", default: "10000" },
      files: { type: "string", default: "200000" },
      pairs: { type: "string", default: "15" },
      json: { type: "boolean", default: false },
    },
  });
  const name = positionals.join(" ");
  const options = {
    sites: Number(values.sites ?? SITES[name] ?? 1),
    runs: Number(values.runs),
    actions: Number(values.actions),
    tasks: Number(values.tasks),
    commands: Number(values.commands),
    files: Number(values.files),
    pairs: Number(values.pairs),
  };
  const run = BENCHES[name];
  if (run === undefined || Object.values(options).some((count) => !Number.isInteger(count) || count < 1)) {
    throw new Error(USAGE);
  }
  const figures = await run(options, say);
  if (values.json) say(JSON.stringify(figures));
}

try {
  await bench(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const told = isHostwrightError(error)
    ? `${error.code}: ${message}\n${error.output ?? ""}\nNext: ${error.remedy}`
    : message;
  process.stderr.write(`\n${told}\n`);
  process.exitCode = 1;
}
