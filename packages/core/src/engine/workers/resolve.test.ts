import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, file, NEVER } from "../../../test/fake-worker.ts";
import type { Task } from "../../api/task.ts";

let fake: FakeWorker;
let stuck: boolean;

beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  stuck = true;
  const undo = async (): Promise<void> => (stuck ? Promise.reject(new Error("busy")) : undefined);
  fake.engine.operation("stuck", { undo });
});

async function needsAttention(): Promise<Task> {
  fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "stuck"), runStep("web1", "fail")] });
  const task = await fake.submit("a");
  expect(await fake.worker.work(task.id, NEVER)).toMatchObject({ state: "needs-attention" });
  return task;
}

const scopes = async (): Promise<readonly string[]> =>
  (await fake.engine.store.leases.list()).map(({ scope }) => scope);

describe("a task that needs attention", () => {
  test("is undone to its end by a retry, once what was in the way is gone", async () => {
    const task = await needsAttention();
    stuck = false;
    await task.resolve("retry");
    expect(await task.outcome()).toMatchObject({ state: "undone", residue: [] });
    expect(fake.world.snapshot()).toEqual({ web1: {} });
    expect(await scopes()).toEqual([]);
  });

  test("is retried before those that wait for its site", async () => {
    const task = await needsAttention();
    const next = await fake.submit("b");
    const working = fake.another().work(next.id, NEVER);
    await expect.poll(async () => (await next.waiting())?.for).toBe("leases");
    stuck = false;
    await task.resolve("retry");
    expect(await working).toMatchObject({ state: "succeeded" });
    const events = await fake.engine.store.events.after(0);
    const told = (type: string, id: string): number =>
      events.findLastIndex((one) => one.type === type && one.task === id);
    expect(told("task:finished", task.id)).toBeLessThan(told("task:started", next.id));
  });

  test("needs it still when the retry fails again, and keeps its site", async () => {
    const task = await needsAttention();
    await task.resolve("retry");
    expect(await task.outcome()).toMatchObject({ state: "needs-attention", residue: [{ key: "stuck" }] });
    expect(await scopes()).toEqual(["site/s1"]);
  });

  test("keeps what it had alone, and frees servers and what it shared", async () => {
    const leases = [
      { scope: "server/web1", mode: "exclusive" },
      { scope: "platform/p1", mode: "exclusive" },
      { scope: "platform/p2", mode: "shared" },
    ] as const;
    fake.drafts.set("a", { leases, steps: [runStep("web1", "stuck"), runStep("web1", "fail")] });
    const task = await fake.submit("a");
    await fake.worker.work(task.id, NEVER);
    expect(await scopes()).toEqual(["platform/p1"]);
  });

  test("is taken as done by complete: its records are committed, its clean-ups follow, and nothing is taken back", async () => {
    const record = { kind: "site", id: "s1", name: "a.example", value: { domain: "a.example" } } as const;
    const commit = { put: [{ ...record, expect: 0, claims: ["a.example"] }], deleteRecords: [] };
    const after = { ...file("/after"), phase: "clean-up" } as const;
    const steps = [file("/a"), runStep("web1", "stuck"), runStep("web1", "fail"), after];
    fake.drafts.set("a", { steps, commit, value: { url: "http://a.example/" } });
    const task = await fake.submit("a");
    await fake.worker.work(task.id, NEVER);
    const before = fake.world.snapshot();
    await task.resolve("complete");
    expect(await task.outcome()).toMatchObject({
      state: "succeeded",
      error: null,
      value: { url: "http://a.example/" },
    });
    expect(await fake.engine.store.records.get("site", "s1")).toMatchObject({ name: "a.example", version: 1 });
    expect(fake.world.snapshot()).toEqual({ web1: { ...before["web1"], "file /after": "x" } });
    expect((await fake.engine.registered("web1")).map(({ key }) => key)).toEqual(["/a", "/after"]);
    expect(await scopes()).toEqual([]);
    await expect(task.resolve("complete")).rejects.toMatchObject({ code: "HW_TASK_STATE" });
  });

  test("that cannot be taken as done, because its name is another's by now, needs attention still", async () => {
    const taken = { kind: "site", id: "s2", name: "a.example", value: {} } as const;
    await fake.engine.store.records.put(taken, { expect: 0, claims: [] });
    const record = { kind: "site", id: "s1", name: "a.example", value: {}, expect: 0, claims: [] } as const;
    fake.drafts.set("a", {
      steps: [runStep("web1", "stuck"), runStep("web1", "fail")],
      commit: { put: [record], deleteRecords: [] },
    });
    const task = await fake.submit("a");
    await fake.worker.work(task.id, NEVER);
    await expect(task.resolve("complete")).rejects.toMatchObject({ code: "HW_DOMAIN_TAKEN" });
    expect(await task.outcome()).toMatchObject({ state: "needs-attention" });
    expect(await scopes()).toContain("site/s1");
  });

  test.each(["skip", "abandon"] as const)("ends by %s with its residue listed, and frees its site", async (how) => {
    const task = await needsAttention();
    await task.resolve(how);
    expect(await task.outcome()).toMatchObject({ state: "undone", residue: [{ key: "stuck" }] });
    expect(await scopes()).toEqual([]);
    expect((await fake.engine.store.journal.read(task.id)).every(({ undo }) => undo === null)).toBe(true);
  });

  test("is the only kind that can be resolved", async () => {
    const task = await fake.submit("b");
    await expect(task.resolve("skip")).rejects.toMatchObject({ code: "HW_TASK_STATE" });
    await fake.worker.work(task.id, NEVER);
    await expect(task.resolve("retry")).rejects.toMatchObject({ code: "HW_TASK_STATE" });
  });
});
