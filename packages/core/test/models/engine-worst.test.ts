import { test } from "vitest";
import { worstCases } from "./case.ts";
import { modelRuns } from "./model-runs.ts";
import { play } from "./play.ts";

test("a task ends as the old or the new world, less exactly what it lists, whatever goes wrong and whoever dies", async () => {
  await modelRuns("packages/core/test/models/engine-worst.test.ts", 15_000, worstCases, async (one) => play(one));
}, 600_000);
