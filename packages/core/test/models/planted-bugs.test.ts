import * as fc from "fast-check";
import { expect, test } from "vitest";
import { troubledCases, worstCases } from "./case.ts";
import { leaseSteps } from "./lease-model.ts";
import { playLeases } from "./lease-play.ts";
import { planCases } from "./plan-model.ts";
import { playPlan } from "./plan-play.ts";
import { play } from "./play.ts";
import * as sabotage from "./sabotage.ts";
import { playWeb, webCases } from "./web-play.ts";

/** The models themselves are tested here: each must find a bug that was put into what it tests. */
const SEED = Number(process.env["HOSTWRIGHT_TEST_SEED"] ?? 20_261_121);
const MOST_RUNS = 10_000;

async function findsIn<T>(
  cases: fc.Arbitrary<T>,
  broken: (one: T) => Promise<readonly string[]>,
): Promise<{ readonly runs: number; readonly what: string }> {
  const property = fc.asyncProperty(cases, async (one) => (await broken(one)).length === 0);
  const found = await fc.check(property, { seed: SEED, numRuns: MOST_RUNS, endOnFailure: true });
  expect(found.failed).toBe(true);
  const [what = ""] = found.counterexample === null ? [] : await broken(found.counterexample[0]);
  return { runs: found.numRuns, what };
}

const bugs = {
  "a journal that writes the intent after the effect": sabotage.intentAfterEffect,
  "an attempt that takes its own work for what stood before": sabotage.priorOfTheLastAttempt,
  "a commit row that is written after the clean-ups": sabotage.commitAfterCleanUp,
  "an operation that is done once more after a crash": sabotage.doneOnceMore,
  "a fence that stops nobody": sabotage.fenceForNobody,
};

test.each(Object.entries(bugs))("the engine's model finds %s", { timeout: 120_000 }, async (name, bug) => {
  const { runs, what } = await findsIn(worstCases, async (one) => play(one, bug));
  process.stdout.write(`planted: ${name}: run ${runs}, seed ${SEED}: ${what}\n`);
});

const others = {
  "a change, and an undo, without a compare": async () =>
    findsIn(troubledCases, async (one) => play(one, sabotage.changeWithoutCompare)),
  "leases that exclude nobody": async () =>
    findsIn(leaseSteps, async (steps) => playLeases(steps, sabotage.leasesForAll)),
  "a planner that does not see other owners": async () =>
    findsIn(planCases, async (one) => playPlan(one, sabotage.registerOfOne)),
  "a publisher that fails with its neighbour": async () =>
    findsIn(webCases, async (one) => playWeb(one, sabotage.publishForAll)),
};

test.each(Object.entries(others))("their model finds %s", { timeout: 120_000 }, async (name, find) => {
  const { runs, what } = await find();
  process.stdout.write(`planted: ${name}: run ${runs}, seed ${SEED}: ${what}\n`);
});
