import { expect, test } from "vitest";
import { FakeWorker, NEVER } from "../../test/fake-worker.ts";
import type { EngineParts } from "../engine/planning/task-engine.ts";
import type { Planning } from "../contracts/planning.ts";
import type { AnyTaskType } from "../contracts/task.ts";
import { makeStoredPlan } from "../engine/workers/stored-plans.ts";
import { takeOver, takeServerOver } from "./take-over.ts";

test("a server is not taken over when its record has changed since that was planned", async () => {
  await using fake = await FakeWorker.open();
  const former = { installation: "former", home: "elsewhere", since: "2026-01-01T00:00:00.000Z" };
  const type: typeof takeServerOver = {
    ...takeServerOver,
    plan: async (context: Planning, request) => {
      const claimOf: Planning["claimOf"] = async () => ({ holder: former, own: { ...former, installation: "own" } });
      return takeServerOver.plan({ ...context, claimOf }, request);
    },
  };
  const parts: EngineParts = { ...fake.parts, tasks: new Map([[type.type, type as AnyTaskType]]) };
  const plan = await makeStoredPlan(parts, takeOver("web1"), NEVER);
  expect(plan.records).toEqual([{ kind: "server", id: "web1", version: 1 }]);
});
