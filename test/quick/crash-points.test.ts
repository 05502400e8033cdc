import { describe, expect, test } from "vitest";
import { distinctPoints } from "../crash/crash-process.ts";
import { unexplained } from "../crash/explained.ts";
import { sampleOf } from "../crash/sample.ts";

const named = (...names: readonly string[]): { name: string; afterMs: number }[] =>
  names.map((name) => ({ name, afterMs: 0 }));
const names = (passed: ReturnType<typeof named>): readonly string[] => distinctPoints(passed).map(({ name }) => name);

describe("the points of a task", () => {
  test("count the moment between two steps once", () => {
    const steps = ["before a > x 1", "during a > x 1", "after a > x 1", "before a > y 1", "after a > y 1"];
    expect(names(named(...steps))).toEqual(steps.filter((name) => name !== "before a > y 1"));
  });

  test("keep the beginning of a step while another one runs", () => {
    const steps = ["before a > x 1", "before a > y 1", "after a > x 1", "after a > y 1"];
    expect(names(named(...steps))).toEqual(steps);
  });

  test("hold one read of each kind while it is planned, and every write of the store", () => {
    const steps = ["during claim and plan > unit 1", "after claim and plan > unit 1", "during claim and plan > unit 2"];
    expect(names(named(...steps, "after claim and plan > tasks.move 1"))).toEqual([
      "during claim and plan > unit 1",
      "after claim and plan > tasks.move 1",
    ]);
  });

  test("are sampled in their order, alike for one seed", () => {
    const all = Array.from({ length: 100 }, (_item, index) => index);
    const sample = sampleOf(all, 10, "seed");
    expect(sample).toHaveLength(10);
    expect(sample).toEqual(sample.toSorted((a, b) => a - b));
    expect(sampleOf(all, 10, "seed")).toEqual(sample);
    expect(sampleOf(all, 10, "another")).not.toEqual(sample);
    expect(sampleOf(all, 100, "seed")).toEqual(all);
  });
});

describe("a journal", () => {
  const begun = { action: 0, phase: "do", state: "begun" } as const;

  test("explains a task when each action that was begun is done, or undone", () => {
    expect(unexplained([begun, { ...begun, state: "done" }], "succeeded")).toEqual([]);
    expect(unexplained([begun, { ...begun, phase: "undo", state: "done" }], "undone")).toEqual([]);
  });

  test("does not when an action has no outcome, or the other one", () => {
    expect(unexplained([begun], "succeeded")).toHaveLength(1);
    expect(unexplained([begun, { ...begun, state: "done" }], "undone")).toHaveLength(1);
  });
});
