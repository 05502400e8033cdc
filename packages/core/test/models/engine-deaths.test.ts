import { test } from "vitest";
import { deadlyCases } from "./case.ts";
import { modelRuns } from "./model-runs.ts";
import { play } from "./play.ts";

test("a task whose workers die again and again ends as the old or the new world", async () => {
  await modelRuns("packages/core/test/models/engine-deaths.test.ts", 10_000, deadlyCases, async (one) => play(one));
}, 600_000);
