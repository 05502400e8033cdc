import { expect, onTestFinished, test } from "vitest";
import { FakeWorker, file, NEVER, request } from "../../../test/fake-worker.ts";
import { openPlan, sealPlan } from "./seal-plan.ts";
import { planRequest } from "./task-engine.ts";

test("a plan of many like things is stored in a third of its text at most, and opens as it was made", async () => {
  const fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  fake.drafts.set("a", { steps: Array.from({ length: 500 }, (_, index) => file(`/srv/sites/${index}`, "listen 80;")) });
  const plan = await planRequest(fake.parts, request("a"), "t1", NEVER);
  const sealed = await sealPlan(fake.parts.box, plan);
  expect(sealed.length).toBeLessThan(JSON.stringify(plan).length / 3);
  expect(await openPlan(fake.parts.box, { id: "t1", plan: sealed })).toEqual(plan);
});
