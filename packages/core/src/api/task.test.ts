import type { Task } from "./task.ts";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runStep } from "../../test/fake-engine.ts";
import { FakeWorker, NEVER, file } from "../../test/fake-worker.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

describe("a handle of a task", () => {
  test("of an unknown task says so", async () => {
    await expect(fake.task("t-none").outcome()).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
    await expect(fake.task("t-none").cancel()).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
  });

  test("gives secrets as such, and the store has them sealed", async () => {
    await fake.parts.vault.put("task/link", "http://a.test/hush");
    fake.drafts.set("a", { value: { loginLink: { ref: "secret", id: "task/link", label: "login link" } } });
    const submitted = await fake.submit("a");
    await fake.worker.work(submitted.id, NEVER);
    const { loginLink } = (await submitted.result()) as { loginLink: { reveal(): string } };
    expect(loginLink.reveal()).toBe("http://a.test/hush");
    expect(JSON.stringify(await submitted.outcome())).not.toContain("hush");
    expect(JSON.stringify(await fake.engine.store.tasks.get(submitted.id))).not.toContain("hush");
  });

  test("tells its position among the queued, then for whom it waits, then nothing", async () => {
    const [slow, next] = [fake.gate("slow"), fake.gate("next")];
    fake.drafts.set("a", { steps: [runStep("web1", "slow")] });
    fake.drafts.set("b", { steps: [runStep("web1", "next")] });
    const tasks = [await fake.submit("a"), await fake.submit("b"), await fake.submit("c")];
    const [one, two, three] = tasks as [Task, Task, Task];
    expect(await three.waiting()).toEqual({ for: "worker", position: 3, blockedBy: [] });
    const first = fake.worker.work(one.id, NEVER);
    await slow.reached;
    expect(await one.waiting()).toBeNull();
    expect(await three.waiting()).toMatchObject({ for: "worker", position: 2 });
    const second = fake.worker.work(two.id, NEVER);
    const running = { task: one.id, scope: "site/s1" };
    await expect.poll(async () => two.waiting()).toEqual({ for: "leases", position: 1, blockedBy: [running] });
    const third = fake.worker.work(three.id, NEVER);
    const behind = [running, { task: two.id, scope: "site/s1" }];
    await expect.poll(async () => three.waiting()).toEqual({ for: "leases", position: 2, blockedBy: behind });
    slow.open();
    await next.reached;
    const after = [{ task: two.id, scope: "site/s1" }];
    await expect.poll(async () => three.waiting()).toEqual({ for: "leases", position: 1, blockedBy: after });
    const told = async (): Promise<unknown> =>
      (await fake.engine.store.events.after(0, { task: three.id }))
        .filter(({ type }) => type === "task:waiting")
        .map(({ payload }) => payload)
        .at(-1);
    await expect.poll(told).toEqual({ position: 1, blockedBy: after });
    next.open();
    await Promise.all([first, second, third]);
    expect(await Promise.all(tasks.map(async (task) => task.waiting()))).toEqual([null, null, null]);
  });

  test("tells its own events and no other's", async () => {
    const [one, two] = [await fake.submit("a"), await fake.submit("b")];
    await fake.worker.work(one.id, NEVER);
    await fake.worker.work(two.id, NEVER);
    const seen: string[] = [];
    for await (const event of two.events()) {
      seen.push(event.task ?? "");
      if (event.type === "task:finished") break;
    }
    expect(new Set(seen)).toEqual(new Set([two.id]));
  });
});

describe("a cancel", () => {
  test("of a queued task ends it untouched, for those who wait for it too", async () => {
    const submitted = await fake.submit("a");
    const waiting = submitted.outcome();
    await submitted.cancel();
    expect(await waiting).toMatchObject({ state: "undone", error: { code: "HW_CANCELLED" }, residue: [] });
    expect(await fake.worker.work(submitted.id, NEVER)).toBeNull();
    expect(fake.world.effects).toEqual([]);
  });

  test("of a running task is taken up, and what it did is undone", async () => {
    const { reached, open } = fake.gate("slow");
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "slow"), file("/b")] });
    const submitted = await fake.submit("a");
    const working = fake.worker.work(submitted.id, NEVER);
    await reached;
    await submitted.cancel();
    await submitted.cancel();
    setTimeout(open, 700);
    expect(await working).toMatchObject({ state: "undone", error: { code: "HW_CANCELLED" } });
    expect(fake.world.effects).toEqual(["web1 + file /a", "web1 - file /a"]);
  });

  test("of a task that is finished is refused", async () => {
    const submitted = await fake.submit("a");
    await fake.worker.work(submitted.id, NEVER);
    await expect(submitted.cancel()).rejects.toMatchObject({ code: "HW_TASK_STATE" });
    expect(await submitted.outcome()).toMatchObject({ state: "succeeded" });
  });

  test("after the commit row is refused, and the task succeeds", async () => {
    const { reached, open } = fake.gate("purge");
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "purge", { phase: "clean-up" })] });
    const submitted = await fake.submit("a");
    const working = fake.worker.work(submitted.id, NEVER);
    await reached;
    await expect(submitted.cancel()).rejects.toMatchObject({ code: "HW_TASK_STATE" });
    open();
    expect(await working).toMatchObject({ state: "succeeded", residue: [] });
  });
});
