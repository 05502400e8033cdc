import { parseArgs } from "node:util";
import { countsOf, JSON_TOO, runCommand, say, SEED } from "../support/command-line.ts";
import { playRounds } from "./play.ts";

const USAGE = "usage: npm run test:kills -- [--from 1] [--rounds 200] | [--round <n>] [--seed <text>] [--json]";

const count = countsOf(USAGE);

await runCommand(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      /** The rounds of one seed can be played in parts: this one is the first. */
      from: { type: "string", default: "1" },
      rounds: { type: "string", default: "200" },
      round: { type: "string" },
      seed: SEED,
      json: JSON_TOO,
    },
  });
  say(`seed ${values.seed}`);
  const from = count(values.from);
  const only = values.round === undefined ? null : count(values.round);
  const figures = await playRounds(
    values.seed,
    { from: only ?? from, to: only ?? from + count(values.rounds) - 1 },
    say,
  );
  const { rounds, kills, stops, recoverKills, undoKills, whole, tasks, taskTypes, toldTwice } = figures;
  say(
    `${whole} of ${rounds} rounds left everything whole, in ${figures.seconds} s: ${tasks} tasks of ${taskTypes} types, ${kills} kills ` +
      `(${recoverKills} of a recovering worker, ${undoKills} during an undo), ${stops} stops, ${toldTwice} ends told twice`,
  );
  for (const { title, again } of figures.failed) say(`FAILED ${title}\n  ${again}`);
  if (whole < rounds || rounds === 0) process.exitCode = 1;
  if (values.json) say(JSON.stringify(figures));
});
