import { existsSync } from "node:fs";
import { expect, test } from "vitest";
// @ts-expect-error -- a script of plain JavaScript
import * as drawn from "../../tools/drawn-files.mjs";

const { DRAWN, notDrawn } = drawn as {
  readonly DRAWN: readonly { readonly take: number; readonly of: readonly string[] }[];
  readonly notDrawn: (seed: number) => readonly string[];
};
const seeds = Array.from({ length: 200 }, (_, index) => Date.UTC(2026, 0, 1) + index * 7_919_777);

test("the files of which `npm test` takes a part are there, and each is taken by some draws", () => {
  const all = DRAWN.flatMap(({ of }) => of);
  expect(all.filter((file) => !existsSync(file))).toEqual([]);
  expect(all.filter((file) => seeds.every((seed) => notDrawn(seed).includes(file)))).toEqual([]);
});

test("of each row so many are taken as it says, whatever is drawn", () => {
  for (const seed of [0, 1, ...seeds])
    for (const { take, of } of DRAWN) expect(of.filter((file) => !notDrawn(seed).includes(file))).toHaveLength(take);
});
