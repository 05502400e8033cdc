import { expect, test } from "vitest";
import { presentChange } from "./former-plan.ts";
import type { PlannedChange } from "./plan.ts";

const SAME = {
  type: "file",
  key: "/etc/site.conf",
  owner: "site/s1",
  shared: false,
  before: "h1",
  after: "h2",
  spec: {},
  show: { before: null, after: null },
};
const CHANGE: PlannedChange = { ...SAME, holder: "own" };

test.each<readonly [string, object, Partial<PlannedChange>]>([
  ["registered for its owner", { held: true }, { holder: "own" }],
  ["registered for others that share it", {}, { holder: "others" }],
  ["adopted", { adopt: true }, { holder: "nobody" }],
  ["made", { before: null }, { holder: "nobody", before: null }],
  ["moved by an operation", { held: true, moved: true }, { holder: "own", found: true }],
])("a change that was stored as %s is carried out as that", (_title, said, expected) => {
  const stored = { ...SAME, adopt: false, held: false, refresh: true, ...said };
  expect(presentChange(stored)).toEqual({ ...SAME, ...expected });
});

test("a change that is stored now is as it was", () => {
  expect(presentChange(CHANGE)).toBe(CHANGE);
});
