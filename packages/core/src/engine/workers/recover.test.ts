import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, file, NEVER } from "../../../test/fake-worker.ts";

let fake: FakeWorker;

beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

/** A task that somebody claimed who is no more: it runs, and nobody answers for it. */
async function orphan(name: string): Promise<string> {
  const { id } = await fake.submit(name);
  await fake.engine.store.tasks.move(id, ["queued"], "running");
  return id;
}

const leases = async (): Promise<readonly string[]> =>
  (await fake.engine.store.leases.list()).map(({ scope }) => scope);

describe("a task whose worker died", () => {
  test("is gone on with, and told", async () => {
    const id = await orphan("a");
    await fake.worker.recoverAll(NEVER);
    expect(await fake.task(id).outcome()).toMatchObject({ state: "succeeded" });
    expect((await fake.engine.store.events.after(0)).map(({ type }) => type)).toContain("task:recovered");
    expect(await leases()).toEqual([]);
  });

  test("is handed over, and no part of it done twice, when whoever recovers it is stopped meanwhile", async () => {
    const gate = fake.gate("gate");
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "gate")] });
    const id = await orphan("a");
    const stop = new AbortController();
    const recovering = fake.worker.recoverAll(stop.signal);
    await gate.reached;
    stop.abort();
    gate.open();
    await recovering;
    expect(await fake.engine.store.tasks.state(id)).toBe("running");
    await fake.another().recoverAll(NEVER);
    expect(fake.world.effects).toEqual(["web1 + file /a"]);
    expect(await fake.task(id).outcome()).toMatchObject({ state: "succeeded" });
  });

  test("is taken back when it was being cancelled", async () => {
    const id = await orphan("a");
    await fake.engine.store.tasks.move(id, ["running"], "cancelling");
    await fake.worker.recoverAll(NEVER);
    expect(await fake.task(id).outcome()).toMatchObject({ state: "undone" });
    expect(fake.world.effects).toEqual([]);
  });
});

test("a task that is finished already leaves no lease behind when a late worker comes for it", async () => {
  const task = await fake.submit("a");
  await task.cancel();
  expect(await fake.worker.work(task.id, NEVER)).toBeNull();
  expect(await leases()).toEqual([]);
});

test("a task whose worker died right after its outcome is told as finished and leaves no lease", async () => {
  const { id } = await fake.submit("a");
  const { leases: store, tasks, events } = fake.engine.store;
  const scopes = [`task/${id}`, "site/s1"].map((scope) => ({ scope, mode: "exclusive" }) as const);
  await tasks.move(id, ["queued"], "running");
  await store.acquire(id, "1:1:00000000-0000-0000-0000-000000000000:1", scopes);
  const outcome = { state: "undone", value: {}, error: null, residue: [] };
  await tasks.move(id, ["running"], "undone", { outcome });
  await fake.worker.recoverAll(NEVER);
  expect(await leases()).toEqual([]);
  expect((await events.after(0)).map(({ type }) => type)).toContain("task:finished");
});

test("a task that needs attention keeps its site when its worker died right after its outcome", async () => {
  const { id } = await fake.submit("a");
  const { leases: store, tasks } = fake.engine.store;
  const scopes = [`task/${id}`, "site/s1"].map((scope) => ({ scope, mode: "exclusive" }) as const);
  await tasks.move(id, ["queued"], "running");
  await store.acquire(id, "1:1:00000000-0000-0000-0000-000000000000:1", scopes);
  const outcome = { state: "needs-attention", value: {}, error: null, residue: [] };
  await tasks.move(id, ["running"], "needs-attention", { outcome });
  await fake.worker.recoverAll(NEVER);
  expect(await leases()).toEqual(["site/s1"]);
});
