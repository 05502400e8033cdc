import { expect, test } from "vitest";
import { coreTasks } from "../../packages/core/src/tasks/core-tasks.ts";
import { CASES } from "../crash/cases.ts";
import { MOVES } from "../kills/moves.ts";

/**
 * They change no server: the children of the one are tasks with cases of their own, and core's own tests let its worker die
 * at every write; the other only plans, which its own test is stopped in.
 */
const OF_OTHERS: readonly string[] = ["task:batch", "plan:make"];

test("every task type has a case in the crash matrix", () => {
  const covered = new Set<string>(CASES.map((crashCase) => crashCase.type));
  expect(coreTasks.map(({ type }) => type).filter((type) => !covered.has(type))).toEqual(OF_OTHERS);
});

test("every case asks for the type that it stands for, under a name of its own", () => {
  expect(CASES.filter(({ type, request }) => type !== request.type)).toEqual([]);
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
});

test("each of them may be drawn by the kills, but those that can be drawn with no other", () => {
  const drawn = CASES.filter(({ alone }) => alone !== true).map(({ name }) => name);
  expect(MOVES.map(({ name }) => name)).toEqual(expect.arrayContaining(drawn));
});
