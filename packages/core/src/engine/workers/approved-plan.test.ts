import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeWorker, NEVER, file, request } from "../../../test/fake-worker.ts";
import type { Task } from "../../api/task.ts";
import type { StoredTask } from "../../contracts/store.ts";
import { newId } from "../../model/ids.ts";
import type { PlanData } from "../planning/plan.ts";
import { makeStoredPlan } from "./stored-plans.ts";
import { openPlan, sealPlan } from "../planning/seal-plan.ts";
import { planRequest } from "../planning/task-engine.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

describe("an approved plan", () => {
  async function approved(change: (sealed: string) => string = (sealed) => sealed): Promise<Task> {
    const id = newId("t", 16);
    const plan = await planRequest(fake.parts, request("a"), id, NEVER);
    return fake.submit("a", { id, plan: change(await sealPlan(fake.parts.box, plan)) });
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
    const submitted = await fake.submit("a", { plan: await sealPlan(fake.parts.box, plan) });
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({ error: { code: "HW_PLAN_FORGED" } });
  });

  test("whose time is over is not run", async () => {
    const id = newId("t", 16);
    const plan = await planRequest({ ...fake.parts, planLifeMs: -1 }, request("a"), id, NEVER);
    const submitted = await fake.submit("a", { id, plan: await sealPlan(fake.parts.box, plan) });
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({ error: { code: "HW_PLAN_EXPIRED" } });
    expect(fake.world.effects).toEqual([]);
  });
});

describe("an approval by id and hash", () => {
  async function stored(name = "a"): Promise<PlanData> {
    return makeStoredPlan(fake.parts, request(name), NEVER);
  }
  async function approve(plan: PlanData, change: Partial<StoredTask> = {}): Promise<Task> {
    return fake.submit("a", { id: plan.task, plan: { plan: plan.id, hash: plan.hash }, ...change });
  }
  const ended = async (task: Task): Promise<unknown> => {
    await fake.worker.work(task.id, NEVER);
    const { state, error } = await task.outcome();
    return [state, error?.["code"] ?? null, fake.world.effects.length];
  };

  test("runs the plan that was sealed, which the task keeps from then on", async () => {
    const plan = await stored();
    fake.drafts.set("a", { steps: [file("/other")] });
    const task = await approve(plan);
    expect(await ended(task)).toEqual(["succeeded", null, 1]);
    expect(fake.world.snapshot()).toEqual({ web1: { "file /a": "x" } });
    const { plan: kept } = (await fake.engine.store.tasks.get(task.id)) ?? {};
    expect(await openPlan(fake.parts.box, { id: task.id, plan: kept })).toEqual(plan);
  });

  test.each<[string, string, (plan: PlanData) => Partial<StoredTask> | Promise<void>]>([
    ["of another hash", "HW_PLAN_FORGED", ({ id }) => ({ plan: { plan: id, hash: "0" } })],
    ["of a plan that was never made", "HW_NOT_FOUND", () => ({ plan: { plan: "p-none", hash: "0" } })],
    ["whose request is not the plan's", "HW_PLAN_FORGED", () => ({ request: request("b") })],
    ["of a plan of another task", "HW_PLAN_FORGED", () => ({ id: newId("t", 16) })],
    [
      "whose stored plan somebody changed",
      "HW_PLAN_FORGED",
      async ({ id }) => {
        const plan = await fake.engine.store.plans.get(id);
        if (plan !== null) await fake.engine.store.plans.put({ ...plan, sealed: JSON.stringify({ actions: [] }) });
      },
    ],
    [
      "whose stored plan was exchanged for one of another task",
      "HW_PLAN_FORGED",
      async ({ id }) => {
        const [plan, other] = [await fake.engine.store.plans.get(id), await stored("b")];
        const { sealed = null } = (await fake.engine.store.plans.get(other.id)) ?? {};
        if (plan !== null) await fake.engine.store.plans.put({ ...plan, sealed });
      },
    ],
    [
      "of a plan still in the making",
      "HW_PLAN_FORGED",
      async ({ id }) => {
        const plan = await fake.engine.store.plans.get(id);
        if (plan !== null) await fake.engine.store.plans.put({ ...plan, sealed: null });
      },
    ],
  ])("%s changes nothing: %s", async (_what, code, change) => {
    const plan = await stored();
    const task = await approve(plan, (await change(plan)) ?? {});
    expect(await ended(task)).toEqual(["undone", code, 0]);
  });

  test("of a plan whose time is over changes nothing", async () => {
    const plan = await makeStoredPlan({ ...fake.parts, planLifeMs: -1 }, request("a"), NEVER);
    expect(await ended(await approve(plan))).toEqual(["undone", "HW_PLAN_EXPIRED", 0]);
  });

  test("whose first worker died before it kept the plan is not run after its time", async () => {
    const { leases, tasks } = fake.engine.store;
    const DEAD = "1:1:00000000-0000-0000-0000-000000000000:1";
    const plan = await makeStoredPlan({ ...fake.parts, planLifeMs: -1 }, request("a"), NEVER);
    const task = await approve(plan);
    expect(await leases.claim(task.id, DEAD)).toHaveProperty("granted");
    await fake.worker.recover(task.id);
    expect(await ended(task)).toEqual(["undone", "HW_PLAN_EXPIRED", 0]);
    expect(await leases.list()).toEqual([]);

    // What was kept in time is run, however late.
    const late = await makeStoredPlan({ ...fake.parts, planLifeMs: -1 }, request("a"), NEVER);
    const kept = await approve(late);
    expect(await leases.claim(kept.id, DEAD)).toHaveProperty("granted");
    await tasks.move(kept.id, ["running"], "running", { plan: await sealPlan(fake.parts.box, late) });
    expect(await fake.worker.recover(kept.id)).toMatchObject({ state: "succeeded" });
  });

  test("that a person takes as done after its time comes to its end", async () => {
    const { leases, tasks } = fake.engine.store;
    const plan = await makeStoredPlan({ ...fake.parts, planLifeMs: -1 }, request("a"), NEVER);
    const task = await approve(plan);
    // As after a restore from a backup that was made when nobody had kept the plan yet.
    expect(await leases.claim(task.id, "1:1:00000000-0000-0000-0000-000000000000:1")).toHaveProperty("granted");
    expect((await fake.engine.store.raiseEpoch("2026", { state: "needs-attention" })).tasks).toEqual([task.id]);
    await task.resolve("complete");
    expect(await tasks.state(task.id)).toBe("succeeded");
    expect(await leases.list()).toEqual([]);
  });

  test("waits for its turn where its type is not loaded any more, and is run then", async () => {
    const { leases, tasks } = fake.engine.store;
    const task = await approve(await stored());
    (fake.parts.tasks as Map<string, unknown>).delete("test:work");
    await leases.acquire("other", "me", [{ scope: "site/s1", mode: "exclusive" }]);
    expect(await fake.worker.takeNext()).toBe(task.id);
    expect(await fake.worker.carryOut(task.id, NEVER)).toBeNull();
    expect(await tasks.state(task.id)).toBe("queued");
    await leases.release("other");
    expect(await ended(task)).toEqual(["succeeded", null, 1]);
  });
});
