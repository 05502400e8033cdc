import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { FakeWorker, NEVER, request, working } from "../../../test/fake-worker.ts";
import type { StateStore } from "../../contracts/store.ts";
import type { SiteRecord } from "../../model/records.ts";
import { makeDraft } from "../planning/drafts.ts";
import type { PlanData } from "../planning/plan.ts";
import { makeStoredPlan } from "../workers/stored-plans.ts";
import { sweepPlans } from "./sweep-plans.ts";
import { discardDraft, type EngineParts } from "../planning/task-engine.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const LIFE_MS = 60_000;
const LATER = Date.now() + DAY_MS;

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

/** A plan with what planning an installation leaves: a draft and a secret of its site. */
async function planned(name: string): Promise<{ readonly plan: PlanData; readonly secret: string }> {
  const plan = await makeStoredPlan(fake.parts, request(name), NEVER);
  const draft = { status: "draft", domain: `${name}.test` } as SiteRecord;
  const { id } = await makeDraft(fake.engine.store.records, plan.task, draft, {
    from: 20_000,
    to: 20_999,
    used: new Set(),
  });
  await fake.parts.vault.put(`site/${id}/db-password`, "hush");
  return { plan, secret: `site/${id}/db-password` };
}

const approve = async ({ id, task, ...plan }: PlanData): Promise<string> =>
  (
    await fake.submit("a", {
      id: task,
      plan: { plan: id, hash: plan.hash },
      request: plan.request,
    })
  ).id;

async function standing(secrets: readonly string[]): Promise<unknown> {
  const { store } = fake.engine;
  const sites = await store.records.list("site");
  return { sites: sites.length, secrets: (await store.secrets.get(secrets)).size };
}

/** Parts whose store tells each call, by its name. */
function counted(calls: string[]): EngineParts {
  const watch = <T extends object>(part: T, name: string): T =>
    new Proxy(part, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...given: unknown[]): unknown => {
          calls.push(`${name}.${String(key)}`);
          return (value as (...args: unknown[]) => unknown).apply(target, given);
        };
      },
    });
  const entries = Object.entries(fake.engine.store).map(([name, part]): readonly [string, unknown] => [
    name,
    typeof part === "object" ? watch(part as object, name) : part,
  ]);
  return { ...fake.parts, store: Object.fromEntries(entries) as unknown as StateStore };
}

describe("sweeping", () => {
  test("removes a plan that nobody began once its time is over, with its draft and secrets", async () => {
    const [one, two] = [await planned("a"), await planned("b")];
    const secrets = [one.secret, two.secret];
    expect(await sweepPlans(fake.parts, NEVER, Date.now() + LIFE_MS)).toEqual([]);
    expect(await standing(secrets)).toEqual({ sites: 2, secrets: 2 });
    expect(await sweepPlans(fake.parts, NEVER, LATER)).toEqual([one.plan.id, two.plan.id].toSorted());
    expect(await standing(secrets)).toEqual({ sites: 0, secrets: 0 });
    expect(await fake.engine.store.plans.get(one.plan.id)).toBeNull();
  });

  test("removes what a planning left whose process died, and what an approval left that was cancelled", async () => {
    const [died, approved] = [await planned("a"), await planned("b")];
    const { store } = fake.engine;
    const making = await store.plans.get(died.plan.id);
    if (making !== null) await store.plans.put({ ...making, sealed: null, hash: "" });
    await fake.task(await approve(approved.plan)).cancel();
    expect(await sweepPlans(fake.parts, NEVER, LATER)).toHaveLength(2);
    expect(await standing([died.secret, approved.secret])).toEqual({ sites: 0, secrets: 0 });
  });

  test.each(["queued", "running", "cancelling", "undoing", "needs-attention"] as const)(
    "leaves the plan of a task that is %s",
    async (state) => {
      const { plan, secret } = await planned("a");
      const id = await approve(plan);
      if (state !== "queued") await fake.engine.store.tasks.move(id, ["queued"], state);
      expect(await sweepPlans(fake.parts, NEVER, LATER)).toEqual([]);
      expect(await standing([secret])).toEqual({ sites: 1, secrets: 1 });
      expect(await fake.engine.store.plans.get(plan.id)).not.toBeNull();
    },
  );

  test("is kept from no other plan by those of waiting tasks, however many", async () => {
    const waiting = [await planned("a"), await planned("b")];
    for (const { plan } of waiting) await approve(plan);
    const over = [await planned("c"), await planned("d")].map(({ plan }) => plan.id);
    const swept: string[] = [];
    for (const _ of [1, 2, 3, 4])
      swept.push(...(await sweepPlans(fake.parts, NEVER, LATER, { keep: 1_000, limit: 1 })));
    expect(swept.toSorted()).toEqual(over.toSorted());
  });

  test("erases no secret of a site that its draft becomes at that moment", async () => {
    const { plan, secret } = await planned("a");
    const { store } = fake.engine;
    const [site] = await store.records.list("site");
    const get = store.records.get.bind(store.records);
    // Between the look at the draft and what follows from it.
    vi.spyOn(store.records, "get").mockImplementationOnce(async (...asked) => {
      const found = await get(...asked);
      const value = { ...(site?.value as SiteRecord), status: "installing" };
      await store.records.put({ kind: "site", id: site?.id ?? "", name: "a.test", value }, { expect: 1, claims: [] });
      return found;
    });
    await discardDraft(fake.parts, plan.task);
    expect(await standing([secret])).toEqual({ sites: 1, secrets: 1 });
  });

  test("ends what a sweep began that died", async () => {
    const { plan, secret } = await planned("a");
    vi.spyOn(fake.parts.vault, "removePrefix").mockRejectedValueOnce(new Error("the disk is full"));
    await expect(discardDraft(fake.parts, plan.task)).rejects.toThrow("the disk is full");
    await discardDraft(fake.parts, plan.task);
    expect(await standing([secret])).toEqual({ sites: 0, secrets: 0 });
  });

  test("takes no installed site along, and leaves the task, its journal and its events", async () => {
    const { plan, secret } = await planned("a");
    const { store } = fake.engine;
    const [site] = await store.records.list("site");
    const value = { ...(site?.value as SiteRecord), status: "installed" };
    await store.records.put({ kind: "site", id: site?.id ?? "", name: "a.test", value }, { expect: 1, claims: [] });
    const id = await approve(plan);
    expect(await fake.worker.work(id, NEVER)).toMatchObject({ state: "succeeded" });
    expect(await sweepPlans(fake.parts, NEVER, LATER)).toEqual([plan.id]);
    expect(await standing([secret])).toEqual({ sites: 1, secrets: 1 });
    expect(await store.tasks.state(id)).toBe("succeeded");
    expect((await store.journal.read(id)).length).toBeGreaterThan(0);
    expect((await store.events.after(0, { task: id })).length).toBeGreaterThan(0);
  });

  test("asks the store twice when there is nothing to do, and a few times for each plan", async () => {
    const calls: string[] = [];
    await planned("a");
    await sweepPlans(counted(calls), NEVER);
    expect(calls.splice(0)).toEqual(["plans.expired", "plans.surplus"]);
    for (const name of ["b", "c", "d"]) await makeStoredPlan(fake.parts, request(name), NEVER);
    await sweepPlans(counted(calls), NEVER, LATER);
    const count = (name: string): number => calls.filter((call) => call === name).length;
    expect([count("plans.expired"), count("tasks.state"), count("records.get"), count("plans.remove")]).toEqual([
      1, 4, 4, 1,
    ]);
    expect(calls).toHaveLength(13);
  });

  test("is done by every worker when it starts, whatever else fails", async () => {
    const { plan } = await planned("a");
    const { plans } = fake.engine.store;
    const stored = await plans.get(plan.id);
    if (stored !== null) await plans.put({ ...stored, expiresAt: "2026-01-01T00:00:00.000Z" });
    await using _queue = working(fake.worker, 1);
    await expect.poll(async () => plans.get(plan.id)).toBeNull();
  });
});
