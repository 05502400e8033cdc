import { test } from "vitest";
import { modelRuns } from "./model-runs.ts";
import { planCases } from "./plan-model.ts";
import { playPlan } from "./plan-play.ts";

test("a plan makes what is declared, removes only what its owners had, refuses what is others', and is empty the second time", async () => {
  await modelRuns("packages/core/test/models/planner.test.ts", 20_000, planCases, (one) => playPlan(one));
}, 600_000);
