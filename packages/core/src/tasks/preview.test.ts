import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { FakeWorker, NEVER, request } from "../../test/fake-worker.ts";
import type { SiteRecord } from "../model/records.ts";
import { makeDraft } from "../engine/planning/drafts.ts";
import { makeStoredPlan } from "../engine/workers/stored-plans.ts";
import { planPreview, preview, PREVIEW } from "./preview.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  (fake.parts.tasks as Map<string, unknown>).set(PREVIEW, planPreview);
});

test("a preview whose worker has lost it meanwhile writes nothing more, and whoever goes on with it makes the plan", async () => {
  const { store } = fake.engine;
  const [reached, woken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const type = fake.parts.tasks.get("test:work");
  if (type === undefined) throw new Error("the fake has lost its task type");
  const { plan } = type;
  // With the store as the preview's own worker has it.
  let { records } = store;
  vi.spyOn(fake.parts, "makePlan").mockImplementation(async (parts, ...given) => {
    ({ records } = parts.store);
    return makeStoredPlan(parts, ...given);
  });
  vi.spyOn(type, "plan").mockImplementation(async (context, input) => {
    reached.resolve();
    await woken.promise;
    const range = { from: 20_000, to: 20_999, used: new Set<number>() };
    await makeDraft(records, context.task, { domain: "a.test" } as SiteRecord, range);
    return plan(context, input);
  });
  const task = await fake.submit("preview", { type: PREVIEW, request: preview(request("a")) });
  const working = fake.worker.work(task.id, NEVER);
  await reached.promise;
  // As for a process that was stopped for longer than its lease.
  await store.leases.release(task.id);
  const before = await store.plans.expired("9999");
  woken.resolve();
  await expect(working).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
  expect(await store.records.list("site")).toEqual([]);
  expect(await store.plans.expired("9999")).toEqual(before);
  const [unmade] = before;
  expect(await store.plans.get(unmade?.id ?? "")).toMatchObject({ sealed: null });

  await fake.another().recover(task.id);
  const value = (await task.result()) as { readonly plan: string };
  expect(await store.plans.get(value.plan)).toMatchObject({ title: "work a", sealed: expect.any(String) as string });
  expect(await store.records.list("site")).toHaveLength(1);
});
