import { Draw } from "../support/draw.ts";
import { MOVES, type Move } from "./moves.ts";
import { BEGINNING, nameOf, type Standing } from "./standing.ts";

/** What happens to the workers of a round. */
export type Blow =
  | "kill" // of the one that works
  | "kill both" // workers at once
  | "stop" // of the one that works, for longer than its lease
  | "kill, then the recovering" // worker too
  | "cancel, kill during undo"
  | "fail, kill during undo";

/** One round as the seed draws it: where it begins, what is asked for, and what happens when. */
export interface Round {
  readonly number: number;
  readonly begins: Standing;
  /** The one that is disturbed, then later ones, of the same site as a rule. */
  readonly moves: readonly [Move, ...Move[]];
  readonly blow: Blow;
  /** When the first blow falls, as a share of the time that the first move takes by itself; after 1 it is over. */
  readonly at: number;
  /** When the second blow falls, or how long one is stopped: a share of the most that there is. */
  readonly later: number;
  /** An operation of its plan that fails, as a share of them. */
  readonly failing: number;
  /** The worker that goes on with an undo whose worker was killed is killed as well. */
  readonly again: boolean;
}

/** Of the time that a move takes by itself: the latest that a blow falls. */
export const LATEST = 1.15;
/** How often each is drawn, of all of them together. */
const WEIGHTS: Readonly<Record<Blow, number>> = {
  kill: 4,
  "kill both": 1,
  stop: 2,
  "kill, then the recovering": 3,
  "cancel, kill during undo": 2,
  "fail, kill during undo": 3,
};
const BLOWS = (Object.keys(WEIGHTS) as Blow[]).flatMap((blow) => Array.from({ length: WEIGHTS[blow] }, () => blow));
/** Of what takes long enough for a second blow. */
const LONG = new Set([
  "site:install",
  "site:delete",
  "site:disable",
  "site:enable",
  "site:configure",
  "site:move-database",
  "server:switch-http",
]);
const LATER = new Set([
  "delete",
  "install",
  "disable",
  "enable",
  "verify a site",
  "verify the first site",
  "verify a server",
  "login link",
  "login link of the site",
]);

/** The rounds of a seed, each of which begins where the one before ends if all of it succeeds. */
export function* roundsOf(seed: string): Generator<Round, never> {
  let begins = BEGINNING;
  for (let number = 1; ; number += 1) {
    const round = drawRound(`${seed}/${number}`, number, begins);
    yield round;
    begins = standings(round).at(-1) ?? begins;
  }
}

function drawRound(seed: string, number: number, chosen: Standing): Round {
  const draw = new Draw(seed);
  const blow = draw.of(BLOWS);
  const fitting = MOVES.filter(
    (move) =>
      (move.fits ?? ((from) => move.to(from) !== null))(chosen) &&
      (!/undo|recovering/.test(blow) || LONG.has(move.request.type)),
  );
  const types = [...new Set(fitting.map(({ request }) => request.type))];
  // What changes nothing is disturbed half as often.
  const type = draw.of([...types, ...types.filter((one) => one !== "site:login-link")]);
  const first = draw.of(fitting.filter(({ request }) => request.type === type));
  const begins = first.from?.(chosen) ?? chosen;
  const moves: [Move, ...Move[]] = [first];
  let standing = first.to(begins) ?? begins;
  for (let count = first.alone === true ? 0 : draw.below(3); count > 0; count -= 1) {
    // What was harmed is repaired by the first of them, or by none: that is to be seen.
    const next = draw.of(MOVES.filter((move) => LATER.has(move.name) && canFollow(move, standing, first)));
    moves.push(next);
    standing = next.to(standing) ?? standing;
  }
  return {
    number,
    begins,
    moves,
    blow,
    at: draw.share() * LATEST,
    later: draw.share(),
    failing: draw.share(),
    again: draw.below(2) === 0,
  };
}

function canFollow({ name, to }: Move, standing: Standing, first: Move): boolean {
  return to(standing) !== null && (first.prepare === undefined || name === "login link");
}

/** After each move, if all of them succeed. */
function standings({ begins, moves }: Round): readonly Standing[] {
  let standing = begins;
  return moves.map((move) => (standing = move.to(standing) ?? standing));
}

export function titleOf({ number, begins, moves, blow, at, later }: Round): string {
  const asked = moves.map(({ name }) => name).join(", then ");
  return `round ${number} (${nameOf(begins)}): ${asked}; ${blow} at ${at.toFixed(2)}, ${later.toFixed(2)}`;
}
