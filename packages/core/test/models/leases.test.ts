import { test } from "vitest";
import { leaseSteps } from "./lease-model.ts";
import { playLeases } from "./lease-play.ts";
import { modelRuns } from "./model-runs.ts";

test("leases are granted first come, first served, never to two that exclude each other, and nobody starves", async () => {
  await modelRuns("packages/core/test/models/leases.test.ts", 25_000, leaseSteps, (steps) => playLeases(steps));
}, 600_000);
