import { expect, test } from "vitest";
import { compare, table, turns, type Pair } from "../bench/pairs.ts";

const pair = (rendered: number, handTuned: number, processor = 1): Pair => ({
  rendered: { perSecond: rendered, perProcessorSecond: processor * 50 },
  handTuned: { perSecond: handTuned, perProcessorSecond: 100 },
});

test("each side comes first in every other pair", () => {
  expect(turns(3)).toEqual([
    ["rendered", "handTuned"],
    ["handTuned", "rendered"],
    ["rendered", "handTuned"],
  ]);
});

test("the ratio is the median of the pairs' own, not of the rounds: a slow pair is slow on both sides", () => {
  const figures = compare([pair(900, 1000), pair(48, 50), pair(10, 5, 2), pair(1, 100), pair(97, 100)]);
  expect(figures).toEqual({
    rendered: 48,
    handTuned: 100,
    ratio: 0.96,
    spread: [0.9, 0.97],
    processorRatio: 0.5,
    processorSpread: [0.5, 0.5],
  });
});

test("a table's columns stand under each other, numbers at their right edge", () => {
  expect(
    table([
      ["", "a", "ratio"],
      ["nginx, page", "1234", "1"],
    ]),
  ).toEqual(["                a  ratio", "nginx, page  1234      1"]);
});
