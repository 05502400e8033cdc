import { roundsOf, titleOf, type Round } from "./round.ts";
import { KillYard } from "./yard.ts";

export interface Failure {
  readonly round: number;
  /** Plays it again, as far as moments can be met again. */
  readonly again: string;
  readonly title: string;
  readonly story: readonly string[];
  readonly problems: readonly string[];
}

export interface Figures {
  readonly rounds: number;
  readonly kills: number;
  readonly stops: number;
  readonly recoverKills: number;
  readonly undoKills: number;
  /** Rounds after which everything was whole. */
  readonly whole: number;
  readonly tasks: number;
  readonly taskTypes: number;
  /** Tasks whose end was told more than once. */
  readonly toldTwice: number;
  readonly seconds: number;
  readonly failed: readonly Failure[];
}

/** Plays these rounds of a seed on hosts of its own. */
export async function playRounds(
  seed: string,
  numbers: { readonly from: number; readonly to: number },
  say: (line: string) => void,
): Promise<Figures> {
  await using yard = await KillYard.start();
  const started = performance.now();
  const sum = { kills: 0, stops: 0, recoverKills: 0, undoKills: 0, toldTwice: 0, tasks: 0 };
  const types = new Set<string>();
  const failed: Failure[] = [];
  const rounds = roundsBetween(seed, numbers);
  for (const round of rounds) {
    const began = performance.now();
    const { story, problems, ...counts } = await yard.play(round);
    for (const [name, count] of Object.entries(counts)) sum[name as keyof typeof counts] += count;
    sum.tasks += round.moves.length;
    for (const { request } of round.moves) types.add(request.type);
    const title = titleOf(round);
    say(
      `${problems.length === 0 ? "whole" : "FAILED"}, ${((performance.now() - began) / 1000).toFixed(1)} s: ${title}\n  ${story.join("\n  ")}`,
    );
    if (problems.length === 0) continue;
    const again = `npm run test:kills -- --round ${round.number} --seed ${seed}`;
    say(`${problems.join("\n")}\nagain: ${again}`);
    failed.push({ round: round.number, again, title, story, problems });
    await yard.renew();
  }
  return {
    rounds: rounds.length,
    ...sum,
    taskTypes: types.size,
    whole: rounds.length - failed.length,
    seconds: Math.round((performance.now() - started) / 1000),
    failed,
  };
}

function roundsBetween(seed: string, { from, to }: { readonly from: number; readonly to: number }): readonly Round[] {
  const rounds: Round[] = [];
  for (const round of roundsOf(seed)) {
    if (round.number > to) break;
    if (round.number >= from) rounds.push(round);
  }
  return rounds;
}
