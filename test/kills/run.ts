import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { playRounds } from "./play.ts";

const USAGE = "usage: npm run test:kills -- [--rounds 200 | --round <n>] [--seed <text>] [--json]";

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(USAGE);
  return Number(text);
}

async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: "string", default: "200" },
      round: { type: "string" },
      seed: { type: "string", default: randomBytes(4).toString("hex") },
      json: { type: "boolean", default: false },
    },
  });
  say(`seed ${values.seed}`);
  const only = values.round === undefined ? null : count(values.round);
  const figures = await playRounds(values.seed, { from: only ?? 1, to: only ?? count(values.rounds) }, say);
  const { rounds, kills, stops, recoverKills, undoKills, whole, tasks, taskTypes, toldTwice } = figures;
  say(
    `${whole} of ${rounds} rounds left everything whole, in ${figures.seconds} s: ${tasks} tasks of ${taskTypes} types, ${kills} kills ` +
      `(${recoverKills} of a recovering worker, ${undoKills} during an undo), ${stops} stops, ${toldTwice} ends told twice`,
  );
  for (const { title, again } of figures.failed) say(`FAILED ${title}\n  ${again}`);
  if (whole < rounds || rounds === 0) process.exitCode = 1;
  if (values.json) say(JSON.stringify(figures));
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
