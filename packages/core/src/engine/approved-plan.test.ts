import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeWorker, NEVER, file, request } from "../../test/fake-worker.ts";
import type { Task } from "../api/task.ts";
import { newId } from "../model/ids.ts";
import { planRequest, sealPlan } from "./task-engine.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

describe("an approved plan", () => {
  async function approved(change: (sealed: string) => string = (sealed) => sealed): Promise<Task> {
    const id = newId("t", 16);
    const plan = await planRequest(fake.parts, request("a"), id, NEVER);
    return fake.submit("a", { id, plan: change(sealPlan(fake.parts.box, plan)) });
  }

  test("runs exactly as it was approved, or is refused with what changed", async () => {
    const submitted = await approved();
    fake.drafts.set("a", { steps: [file("/other")] });
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({ state: "succeeded" });
    expect(fake.world.snapshot()).toEqual({ web1: { "file /a": "x" } });

    fake.world.states("web1").clear();
    fake.drafts.clear();
    const late = await approved();
    fake.world.states("web1").set("file /a", { value: "by hand" });
    expect(await fake.worker.work(late.id, NEVER)).toMatchObject({
      state: "undone",
      error: { code: "HW_RESOURCE_CHANGED" },
    });
    expect(fake.world.snapshot()).toEqual({ web1: { "file /a": "by hand" } });
  });

  test.each([
    ["that somebody wrote into the store", () => JSON.stringify({ actions: [] })],
    ["that was changed", (sealed: string) => `${sealed.slice(0, -4)}AAAA`],
  ])("%s is not run", async (_how, change) => {
    const submitted = await approved(change);
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({
      state: "undone",
      error: { code: "HW_PLAN_FORGED" },
    });
    expect(fake.world.effects).toEqual([]);
  });

  test("of another task is not run", async () => {
    const plan = await planRequest(fake.parts, request("a"), "t-other", NEVER);
    const submitted = await fake.submit("a", { plan: sealPlan(fake.parts.box, plan) });
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({ error: { code: "HW_PLAN_FORGED" } });
  });

  test("whose time is over is not run", async () => {
    const id = newId("t", 16);
    const plan = await planRequest({ ...fake.parts, planLifeMs: -1 }, request("a"), id, NEVER);
    const submitted = await fake.submit("a", { id, plan: sealPlan(fake.parts.box, plan) });
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({ error: { code: "HW_PLAN_EXPIRED" } });
    expect(fake.world.effects).toEqual([]);
  });
});
