import { test } from "vitest";
import { troubledCases } from "./case.ts";
import { modelRuns } from "./model-runs.ts";
import { play } from "./play.ts";

test("a task whose servers fail, hang and answer late ends as the old or the new world, less exactly what it lists", async () => {
  await modelRuns("packages/core/test/models/engine-troubles.test.ts", 15_000, troubledCases, async (one) => play(one));
}, 600_000);
