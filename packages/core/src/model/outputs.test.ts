import { expect, test } from "vitest";
import { outputReferences, withOutputs, type OutputReference } from "./outputs.ts";

const from = (step: string, name: string): OutputReference => ({ ref: "output", step, name });
const input = {
  a: 1,
  list: [from("one", "x"), "y"],
  inner: { link: from("two", "link") },
  other: { ref: "secret", id: "s" },
};

test("references are found anywhere, and stand for what was given back", () => {
  expect(outputReferences(input)).toEqual([from("one", "x"), from("two", "link")]);
  const link = { ref: "secret", id: "task/t1/link", label: "link" };
  const outputs = new Map<string, Record<string, unknown>>([
    ["one", { x: [2] }],
    ["two", { link }],
  ]);
  expect(withOutputs(input, outputs)).toEqual({ ...input, list: [[2], "y"], inner: { link } });
});

test("what was not given back is left out", () => {
  expect(withOutputs({ a: from("one", "x"), b: 0 }, new Map())).toEqual({ b: 0 });
  expect(withOutputs({ a: from("one", "x") }, new Map([["one", {}]]))).toEqual({});
});
