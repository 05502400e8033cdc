import { test } from "vitest";
import { modelRuns } from "./model-runs.ts";
import { playWeb, webCases } from "./web-play.ts";

test("what is in force is always what the web server accepts, and a broken entry holds back no neighbour", async () => {
  await modelRuns("packages/core/test/models/publisher.test.ts", 15_000, webCases, (one) => playWeb(one));
}, 600_000);
