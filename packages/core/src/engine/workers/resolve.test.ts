import { setTimeout as delay } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { changedStore } from "../../../test/changed-store.ts";
import { runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, file, NEVER } from "../../../test/fake-worker.ts";
import type { Task } from "../../api/task.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { RETENTION } from "../../model/retention.ts";
import { maintain } from "../maintenance/maintain.ts";
import { resolveTask } from "./resolve.ts";
import { Worker } from "./worker.ts";

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
    const steps = [runStep("web1", "stuck"), runStep("web1", "fail")];
    fake.drafts.set("a", { about: ["platform/p1", "server/web2"], steps });
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

  test.each(["skip", "abandon"] as const)("is told by %s as ended once more, whoever was to tell it", async (how) => {
    const task = await needsAttention();
    const before = await fake.engine.store.tasks.lastEnded();
    await task.resolve(how);
    expect(await fake.engine.store.tasks.ended(before)).toMatchObject([{ id: task.id, state: "undone" }]);
  });

  test("is resolved by one of many, and as one of them said", async () => {
    const task = await needsAttention();
    stuck = false;
    const workers = [fake.worker, fake.another(), fake.another()];
    const all = await Promise.allSettled(
      workers.map(async (one, n) => resolveTask(one, fake.engine.store, task.id, n === 0 ? "retry" : "skip")),
    );
    const done = all.filter(({ status }) => status === "fulfilled");
    expect(done).toHaveLength(1);
    for (const one of all) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "HW_TASK_STATE" });
    expect(await task.outcome()).toMatchObject({ state: "undone" });
    expect(await scopes()).toEqual([]);
  });

  test.each(["retry", "complete", "skip", "abandon"] as const)(
    "loses no lease, row or event to those who close what ended and keep the store, while it is resolved by %s",
    async (how) => {
      const { store, registered } = fake.engine;
      const { id } = await needsAttention();
      const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const wait = async (): Promise<void> => {
        reached.resolve();
        await opened.promise;
      };
      const stopped = changedStore(store, ({ tasks, journal }) => {
        const { move, end } = tasks;
        const { commit } = journal;
        vi.spyOn(tasks, "move").mockImplementation(async (...given) =>
          wait().then(async () => move.apply(tasks, given)),
        );
        vi.spyOn(tasks, "end").mockImplementation(async (...given) => wait().then(async () => end.apply(tasks, given)));
        const late: typeof commit = async (...given) => wait().then(async () => commit.apply(journal, given));
        vi.spyOn(journal, "commit").mockImplementation(late);
        return {};
      });
      const resolver = new Worker({ ...fake.parts, store: stopped }, fake.engine.events);
      stuck = false;
      const resolving = resolveTask(resolver, store, id, how);
      await reached.promise;
      const all = async (): Promise<unknown> =>
        Promise.all([
          store.leases.list(),
          store.journal.read(id),
          registered.call(fake.engine, "web1"),
          store.events.after(0),
        ]);
      const before = await all();
      for (const one of [fake.another(), fake.worker, resolver]) await one.recoverAll(NEVER);
      const retention = { ...RETENTION, eventDays: null };
      await maintain({ ...fake.parts, retention }, NEVER, Date.now() + 1_000 * 86_400_000);
      expect(await all()).toEqual(before);
      opened.resolve();
      expect(await resolving).toMatchObject({ state: how === "complete" ? "succeeded" : "undone" });
      expect(await scopes()).toEqual([]);
    },
  );

  test("is not half resolved when the store fails: it can be resolved again", async () => {
    const task = await needsAttention();
    const { tasks } = fake.engine.store;
    const worker = new Worker(
      {
        ...fake.parts,
        store: changedStore(fake.engine.store, (writes) => {
          vi.spyOn(writes.tasks, "end").mockRejectedValueOnce(new Error("disk full"));
          return {};
        }),
      },
      fake.engine.events,
    );
    await expect(resolveTask(worker, fake.engine.store, task.id, "skip")).rejects.toThrow("disk full");
    expect(await tasks.state(task.id)).toBe("needs-attention");
    expect(await scopes()).toEqual(["site/s1"]);
    await task.resolve("skip");
    expect(await task.outcome()).toMatchObject({ state: "undone" });
  });

  test("is worked by one frame when its retry fails while the same worker looks for the dead", async () => {
    const { store } = fake.engine;
    let [undoing, most] = [0, 0];
    const opened = Promise.withResolvers<void>();
    const undo = async (): Promise<void> => {
      if (stuck) throw new Error("busy");
      most = Math.max(most, ++undoing);
      await opened.promise;
      undoing--;
    };
    fake.engine.operation("stuck", { undo, probe: async () => "partial" });
    const task = await needsAttention();
    stuck = false;
    const { list, release } = store.leases;
    vi.spyOn(store.leases, "list").mockImplementation(async () => {
      if ((await store.tasks.state(task.id)) !== "undoing") return list.call(store.leases);
      vi.mocked(store.leases.list).mockRestore();
      throw new HostwrightError("HW_STORE_BUSY", "busy", { retryable: true });
    });
    vi.spyOn(store.leases, "release").mockImplementationOnce(async (...args) => {
      await fake.worker.lookForDead(NEVER);
      await delay(50);
      return release.apply(store.leases, args);
    });
    await expect(resolveTask(fake.worker, store, task.id, "retry")).rejects.toMatchObject({ code: "HW_STORE_BUSY" });
    await fake.worker.lookForDead(NEVER);
    await expect.poll(() => undoing).toBeGreaterThan(0);
    await fake.worker.lookForDead(NEVER);
    await delay(50);
    opened.resolve();
    await fake.worker.settled();
    expect(most).toBe(1);
    expect(await task.outcome()).toMatchObject({ state: "undone" });
  });

  test("is the only kind that can be resolved", async () => {
    const task = await fake.submit("b");
    await expect(task.resolve("skip")).rejects.toMatchObject({ code: "HW_TASK_STATE" });
    await fake.worker.work(task.id, NEVER);
    await expect(task.resolve("retry")).rejects.toMatchObject({ code: "HW_TASK_STATE" });
  });
});
