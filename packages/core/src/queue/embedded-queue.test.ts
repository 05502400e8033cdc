import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { runStep, serverRecord } from "../../test/fake-engine.ts";
import { EmbeddedQueue } from "./embedded-queue.ts";
import { FakeWorker, file, working } from "../../test/fake-worker.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

describe("the queue in the store", () => {
  test("works everything that waits, in the order of submission", async () => {
    for (const name of ["a", "b", "c"]) fake.drafts.set(name, { about: [`site/${name}`] });
    const tasks = [await fake.submit("a"), await fake.submit("b"), await fake.submit("c")];
    await using _queue = working(fake.worker, 1);
    for (const one of tasks) expect(await one.outcome()).toMatchObject({ state: "succeeded" });
    const started = (await fake.engine.store.events.after(0))
      .filter(({ type }) => type === "task:started")
      .map((event) => event.task);
    expect(started).toEqual(tasks.map(({ id }) => id));
  });

  test("looks at once when a task is announced", async () => {
    const takeNext = vi.fn(async () => null);
    const queue = new EmbeddedQueue();
    await using _working = queue.work({ takeNext, carryOut: async () => undefined }, 1);
    const began = performance.now();
    for (let looks = 1; looks <= 50; looks += 1) {
      await vi.waitUntil(() => takeNext.mock.calls.length >= looks, { interval: 1, timeout: 10_000 });
      await queue.announce();
    }
    // By itself it looks five times a second.
    expect(performance.now() - began).toBeLessThan(9_000);
  });

  test("that is closed begins nothing, and hands over what runs; what waits stays in line", async () => {
    const queue = working(fake.worker, 2);
    const { reached, open } = fake.gate("slow");
    fake.drafts.set("d", { steps: [file("/d"), runStep("web1", "slow"), file("/after")] });
    const last = await fake.submit("d");
    await reached;
    const waiting = await fake.submit("d");
    await expect.poll(async () => waiting.waiting()).toMatchObject({ blockedBy: [{ task: last.id }] });
    const closing = queue[Symbol.asyncDispose]();
    const left = await fake.submit("e");
    open();
    await closing;
    const state = async (id: string): Promise<unknown> => fake.engine.store.tasks.state(id);
    expect([await state(last.id), await state(waiting.id), await state(left.id)]).toEqual([
      "running",
      "queued",
      "queued",
    ]);
    expect(fake.world.effects.filter((line) => line.includes("/d") || line.includes("/after"))).toEqual([
      "web1 + file /d",
    ]);

    await using _next = working(fake.another(), 1);
    for (const one of [last, waiting, left]) expect(await one.outcome()).toMatchObject({ state: "succeeded" });
    expect(fake.world.effects.filter((line) => line.includes("/d"))).toEqual(["web1 + file /d"]);
    const runs = (await fake.engine.store.journal.read(last.id)).filter((row) => row.action === 1);
    expect(runs.map((row) => row.state)).toEqual(["begun", "done"]);
  });

  test("works no more at once than it may", async () => {
    let [now, most] = [0, 0];
    fake.engine.operation("count", {
      run: async () => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 30));
        now--;
      },
    });
    const names = Array.from({ length: 6 }, (_, index) => `n${index}`);
    for (const name of names) {
      fake.drafts.set(name, {
        about: [`site/${name}`],
        steps: [runStep("web1", "count")],
      });
    }
    const tasks = await Promise.all(names.map(async (name) => fake.submit(name)));
    await using _queue = working(fake.worker, 2);
    for (const one of tasks) await one.outcome();
    expect(most).toBe(2);
  });

  test("tasks that wait for leases leave their slots to others, and the most that run stays the same", async () => {
    const { reached, open } = fake.gate("slow");
    let [now, most] = [0, 0];
    fake.engine.operation("count", {
      run: async () => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 20));
        now--;
      },
    });
    fake.drafts.set("slow", {
      about: ["server/web1"],
      steps: [runStep("web1", "slow")],
    });
    for (const name of ["b", "c", "d"])
      fake.drafts.set(name, {
        about: [],
        steps: [runStep("web1", "count")],
      });
    const first = await fake.submit("slow");
    const behind = await Promise.all(["b", "c", "d"].map(async (name) => fake.submit(name)));
    await fake.engine.store.records.put(
      { kind: "server", id: "web2", name: "web2", value: serverRecord("web2") },
      { expect: 0, claims: [] },
    );
    for (const name of ["e", "f", "g", "h"])
      fake.drafts.set(name, {
        about: [`site/${name}`],
        steps: [runStep("web2", "count")],
      });
    const others = await Promise.all(["e", "f", "g", "h"].map(async (name) => fake.submit(name)));
    await using _queue = working(fake.worker, 2);
    await reached;
    for (const one of others) expect(await one.outcome()).toMatchObject({ state: "succeeded" });
    // One slot is the slow one's.
    expect(most).toBe(1);
    expect(await Promise.all(behind.map(async (one) => (await one.waiting())?.for))).toEqual(Array(3).fill("leases"));
    open();
    for (const one of [first, ...behind]) expect(await one.outcome()).toMatchObject({ state: "succeeded" });
    // All three got their leases at once.
    expect(most).toBe(2);
  });

  test("two of them share the tasks, and none is worked twice", async () => {
    const names = Array.from({ length: 6 }, (_, index) => `n${index}`);
    for (const name of names) fake.drafts.set(name, { about: [`site/${name}`] });
    const tasks = await Promise.all(names.map(async (name) => fake.submit(name)));
    await using _one = working(fake.worker, 2);
    await using _two = working(fake.another(), 2);
    for (const one of tasks) expect(await one.outcome()).toMatchObject({ state: "succeeded" });
    expect(fake.world.effects).toHaveLength(names.length);
  });

  test("a store that is busy for a while does not end it", async () => {
    const { leases } = fake.engine.store;
    const busy = new HostwrightError("HW_STORE_BUSY", "busy", { retryable: true });
    vi.spyOn(leases, "next").mockRejectedValueOnce(busy).mockRejectedValueOnce(busy);
    const submitted = await fake.submit("a");
    await using _queue = working(fake.worker, 1);
    expect(await submitted.outcome()).toMatchObject({ state: "succeeded" });
  });
});
