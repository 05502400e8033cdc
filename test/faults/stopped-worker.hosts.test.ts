import { setTimeout as delay } from "node:timers/promises";
import { deleteSite, verify, type Task, type TaskOutcome } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test, type TestContext } from "vitest";
import { oneOf } from "../support/drawn.ts";
import { Freezer, type CgroupVersion } from "../support/freezer.ts";
import { settledListing, writeTimes } from "../support/listing.ts";
import { LivingServer } from "../support/living-server.ts";
import { page } from "../support/page.ts";
import { stopBetween } from "../support/stop-process.ts";
import { settle, Tally, type Kind } from "./judge.ts";
import { FULL } from "./scope.ts";
import { WorkerProcess } from "./worker-process.ts";

const DOMAIN = "stopped.example.com";
const LEASE_MS = 1_500;
const HOUR = 3_600_000;

let living: LivingServer;
const tally = new Tally();

beforeAll(async () => {
  living = await LivingServer.start({ leaseMs: LEASE_MS });
});

afterAll(async () => {
  tally.print("a stopped worker, a wrong clock");
  await living?.[Symbol.asyncDispose]();
});

const order = (clock?: { first: number; later: number }): Parameters<typeof WorkerProcess.start>[0] => ({
  stateDir: living.state.path,
  leaseMs: LEASE_MS,
  ...(clock && { clock }),
});

async function submit(kind: Kind): Promise<Task> {
  if (kind === "delete") await living.hw.run(living.install(DOMAIN));
  return living.hw.submit(kind === "install" ? living.install(DOMAIN) : deleteSite(DOMAIN));
}

/** All that a late worker could change: contents, modes, times, the store. */
async function everything(): Promise<readonly string[]> {
  return [await settledListing(living.host), await writeTimes(living.host), living.state.rows()];
}

describe("a worker that is stopped for longer than its lease", () => {
  const points: readonly (readonly [Kind, number, number])[] = FULL
    ? [
        ...Array.from({ length: 6 }, (_, action) => [0, 15, 60, 200].map((ms) => ["install", action, ms] as const)),
        ...Array.from({ length: 4 }, (_, action) => [0, 15, 60].map((ms) => ["delete", action, ms] as const)),
      ].flat()
    : [
        ...oneOf([
          ["install", 1, 20],
          ["install", 3, 100],
          ["install", 5, 0],
        ] as const),
        ...oneOf([
          ["delete", 0, 20],
          ["delete", 3, 20],
        ] as const),
      ];

  test.each(points)(
    "during %s, action %i + %i ms: another takes over, and it changes nothing more",
    async (...point) => {
      const [kind, action, ms] = point;
      const task = await submit(kind);
      await using late = await WorkerProcess.start(order());
      await late.heard((told) => told.type === "action:started" && told.task === task.id && told.action === action);
      await delay(ms);
      await late.stopAt(task.id, action);
      let outcome: TaskOutcome;
      {
        await using _second = living.hw.work({ concurrency: 1 });
        outcome = await task.outcome();
      }
      if (outcome.state === "succeeded" && kind === "install") await page(living.host, DOMAIN, "/");
      const before = await everything();
      late.wake();
      await late.end();
      expect(await everything()).toEqual(before);
      expect(await task.outcome()).toEqual(outcome);
      tally.add(outcome);
      await settle(living, kind, DOMAIN, outcome, { resumed: true });
    },
  );
});

describe("all workers, frozen at once for longer than a lease", () => {
  type Point = readonly [version: CgroupVersion, kind: Kind, action: number, ms: number];
  const versions = ["v2", "v1"] as const;
  const points: readonly Point[] = FULL
    ? versions.flatMap((version) => [
        ...[0, 1, 2, 3, 4, 5].flatMap((action) => [0, 30, 120].map((ms) => [version, "install", action, ms] as const)),
        ...[0, 1, 2, 3].flatMap((action) => [0, 30].map((ms) => [version, "delete", action, ms] as const)),
      ])
    : oneOf([
        ["v2", "install", 1, 20],
        ["v1", "install", 3, 100],
        ["v2", "delete", 3, 0],
      ]);

  /** Two that may take the task, and their control group. */
  async function frozenAt(
    [version, kind, action, ms]: Point,
    context: TestContext,
    then: (freezer: Freezer, task: Task, workers: readonly WorkerProcess[]) => Promise<void>,
  ): Promise<void> {
    await using freezer =
      (await Freezer.make(version)) ?? context.skip(`no control groups ${version} to be written here`);
    await using first = await WorkerProcess.start(order());
    await using second = await WorkerProcess.start(order());
    for (const { pid } of [first, second]) await freezer.add(pid);
    const task = await submit(kind);
    await first.heard((told) => told.type === "action:started" && told.task === task.id && told.action === action);
    await delay(ms);
    await stopBetween(
      living.state.path,
      async () => freezer.freeze(),
      async () => freezer.thaw(),
    );
    try {
      await then(freezer, task, [first, second]);
    } finally {
      // A frozen process of the first version does not even die.
      await freezer.thaw();
    }
  }

  test.for(points)(
    "%s, during %s, action %i + %i ms: another takes over, and they change nothing more",
    async (point, context) => {
      const [, kind] = point;
      await frozenAt(point, context, async (freezer, task, workers) => {
        let outcome: TaskOutcome;
        {
          await using _third = living.hw.work({ concurrency: 1 });
          outcome = await task.outcome();
        }
        if (outcome.state === "succeeded" && kind === "install") await page(living.host, DOMAIN, "/");
        const before = await everything();
        await freezer.thaw();
        for (const worker of workers) await worker.end();
        expect(await everything()).toEqual(before);
        expect(await task.outcome()).toEqual(outcome);
        tally.add(outcome);
        await settle(living, kind, DOMAIN, outcome, { resumed: true });
      });
    },
  );

  test.for(FULL ? points : [["v2", "install", 3, 30] as const])(
    "%s, during %s, action %i + %i ms, and nobody else: thawed they bring it to one end",
    async (point, context) => {
      await frozenAt(point, context, async (freezer, task, workers) => {
        await delay(2 * LEASE_MS);
        await freezer.thaw();
        const outcome = await task.outcome();
        for (const worker of workers) await worker.end();
        expect(new Set(living.state.toldEnds(task.id))).toEqual(new Set([outcome.state]));
        tally.add(outcome);
        await settle(living, point[1], DOMAIN, outcome, { resumed: true });
      });
    },
  );
});

describe("a clock that is wrong by an hour", () => {
  const clocks: readonly (readonly [string, number, number])[] = [
    ["forward", HOUR, HOUR],
    ["back", -HOUR, -HOUR],
    ["forward in the middle of a task", 0, HOUR],
    ["back in the middle of a task", 0, -HOUR],
  ];

  test.each(oneOf(clocks))(
    "%s: the task is worked to its end, and nobody takes its worker for dead",
    async (...clock) => {
      const [, first, later] = clock;
      await using hub = await WorkerProcess.start(order({ first, later }));
      await using watcher = await WorkerProcess.start(order({ first: -first, later: -later }));
      const task = await submit("install");
      const outcome = await task.outcome();
      expect(outcome).toMatchObject({ state: "succeeded", residue: [] });
      await Promise.all([hub.end(), watcher.end()]);
      const told = [...hub.told, ...watcher.told].filter((one) => one.task === task.id);
      expect(told.map(({ type }) => type)).toContain("task:finished");
      expect(told.map(({ type }) => type)).not.toContain("task:recovered");
      tally.add(outcome);
      await settle(living, "install", DOMAIN, outcome);
    },
  );

  test("decides about the age of a plan alone: good after an hour, refused after a day", async () => {
    const plan = await living.hw.plan(living.install(DOMAIN));
    const late = await living.hw.submit(plan);
    {
      await using _worker = await WorkerProcess.start(order({ first: 25 * HOUR, later: 25 * HOUR }));
      expect(await late.outcome()).toMatchObject({ state: "undone", error: { code: "HW_PLAN_EXPIRED" } });
    }
    await living.expectUnharmed();
    const again = await living.hw.submit(await living.hw.plan(living.install(DOMAIN)));
    await using worker = await WorkerProcess.start(order({ first: HOUR, later: HOUR }));
    const outcome = await again.outcome();
    await worker.end();
    expect(outcome).toMatchObject({ state: "succeeded" });
    expect((await living.hw.plan(verify(DOMAIN))).empty).toBe(true);
    tally.add(outcome);
    await settle(living, "install", DOMAIN, outcome);
  });
});
