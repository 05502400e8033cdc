import { parseArgs } from "node:util";
import { JSON_TOO, runCommand, say, SEED } from "../support/command-line.ts";
import { CASES } from "./cases.ts";
import { CrashMatrix } from "./matrix.ts";
import { runCase, type CaseFigures } from "./run-matrix.ts";

const USAGE =
  "usage: npm run test:crash -- [--task <name or type>]... [--at <part of a point's name>] [--sample <n>] [--doubles <n>] [--seed <text>] [--json]";
const DOUBLES = 6;
/** What fails beside the crashes themselves. */
const WITHOUT_CRASH = new Set(["without a crash", "after all crashes"]);

function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(USAGE);
  return Number(text);
}

await runCommand(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      task: { type: "string", multiple: true, default: [] },
      at: { type: "string", default: "" },
      sample: { type: "string" },
      doubles: { type: "string", default: String(DOUBLES) },
      seed: SEED,
      json: JSON_TOO,
    },
  });
  const wanted = values.task;
  const cases = CASES.filter(({ name, type }) => wanted.length === 0 || wanted.includes(name) || wanted.includes(type));
  if (cases.length === 0) throw new Error(`${USAGE}\ntasks: ${CASES.map(({ name }) => name).join(", ")}`);
  const extent = {
    seed: values.seed,
    at: values.at,
    points: values.sample === undefined ? null : count(values.sample),
    doubles: count(values.doubles),
  };
  say(`seed ${extent.seed}`);
  await using matrix = await CrashMatrix.start();
  const all: CaseFigures[] = [];
  for (const crashCase of cases) all.push(await runCase(matrix, crashCase, extent, say));
  const sum = (of: (figures: CaseFigures) => number): number => all.reduce((total, figures) => total + of(figures), 0);
  const failed = all.flatMap((figures) => figures.failed);
  const figures = {
    taskTypes: new Set(cases.map(({ type }) => type)).size,
    boundaries: sum(({ boundaries }) => boundaries),
    tried: sum(({ tried }) => tried),
    whole: sum((one) => one.tried - one.failed.filter(({ point }) => !WITHOUT_CRASH.has(point)).length),
    failed,
  };
  say(
    `${figures.whole} of ${figures.tried} crashes left everything whole, at ${figures.boundaries} points of ${cases.length} tasks`,
  );
  if (failed.length > 0 || figures.tried === 0) process.exitCode = 1;
  if (values.json) say(JSON.stringify(figures));
});
