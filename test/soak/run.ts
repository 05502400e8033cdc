import { parseArgs } from "node:util";
import { countsOf, JSON_TOO, runCommand, say, SEED } from "../support/command-line.ts";
import { soak } from "./soak.ts";

const USAGE =
  "usage: npm run test:soak -- [--tasks 10000] [--workers 4] [--kill-every 10] [--sites 200] [--backlog 500] [--seed <text>] [--json]";
/** Of each kind of fault. */
const SHOWN = 10;

const count = countsOf(USAGE);

await runCommand(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      tasks: { type: "string", default: "10000" },
      workers: { type: "string", default: "4" },
      "kill-every": { type: "string", default: "10" },
      sites: { type: "string", default: "200" },
      backlog: { type: "string", default: "500" },
      seed: SEED,
      json: JSON_TOO,
    },
  });
  say(`seed ${values.seed}`);
  const figures = await soak(
    {
      seed: values.seed,
      tasks: count(values.tasks),
      workers: count(values.workers),
      sites: count(values.sites),
      backlog: count(values.backlog),
      killEvery: { seconds: count(values["kill-every"]) },
    },
    say,
  );
  const { lost, twice, outOfOrder, wrong } = figures;
  for (const [what, lines] of Object.entries({ lost, twice, outOfOrder, wrong }))
    for (const line of lines.slice(0, SHOWN)) say(`${what}: ${line}`);
  say(
    `${figures.tasks} tasks in ${figures.seconds} s, ${figures.kills} kills: ${lost.length} lost, ${twice.length} done twice, ` +
      `${outOfOrder.length} out of order, ${wrong.length} wrong, the end of ${figures.toldTwice} told twice`,
  );
  if (lost.length + twice.length + outOfOrder.length + wrong.length > 0) process.exitCode = 1;
  if (values.json) say(JSON.stringify(figures));
});
