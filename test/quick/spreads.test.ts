import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesBelow, ROOT } from "./sources.ts";

// A call takes about 120,000 arguments: a plan of five hundred sites has more changes. Lists are spread into lists, or pushed one by one.
const SPREAD_CALL = /\.(?:push|unshift|concat|max|min|fromCharCode|apply)\((?:[^(){}[\]]*,\s*)?\.\.\./;

// Test code of plugins' authors: what they hold is small.
const sources = filesBelow("packages", ".ts").filter(
  (file) => file.includes("/src/") && !file.endsWith(".test.ts") && !file.startsWith("packages/testing/"),
);

test("no call is given a whole list as its arguments", () => {
  expect(sources.length).toBeGreaterThan(200);
  const found = sources.flatMap((file) =>
    readFileSync(join(ROOT, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (SPREAD_CALL.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});
