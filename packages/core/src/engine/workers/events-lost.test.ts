import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, file, NEVER } from "../../../test/fake-worker.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  const full = new HostwrightError("HW_DISK_FULL", "events.db: disk is full. Nothing was written.", {
    retryable: true,
  });
  vi.spyOn(fake.engine.store.events, "append").mockRejectedValue(full);
});

const leases = async (): Promise<number> => (await fake.engine.store.leases.list()).length;

test("a task is done, and its leases are free, though none of its events can be stored", async () => {
  const { id } = await fake.submit("a");
  expect(await fake.worker.work(id, NEVER)).toMatchObject({ state: "succeeded", residue: [] });
  expect([await fake.engine.store.tasks.state(id), await leases()]).toEqual(["succeeded", 0]);
});

test("an undo comes to its end though none of its events can be stored", async () => {
  fake.drafts.set("a", { steps: [file("/1"), file("/2"), runStep("web1", "fail")] });
  const { id } = await fake.submit("a");
  expect(await fake.worker.work(id, NEVER)).toMatchObject({ state: "undone", residue: [] });
  expect([fake.world.snapshot(), await leases()]).toEqual([{ web1: {} }, 0]);
});

test("what a dead worker left is taken back though none of its events can be stored", async () => {
  const { reached, open } = fake.gate("gate");
  fake.drafts.set("a", { steps: [file("/1"), runStep("web1", "gate")] });
  const { id } = await fake.submit("a");
  const working = fake.worker.work(id, NEVER).catch(() => null);
  await reached;
  for (const { task } of await fake.engine.store.leases.list()) await fake.engine.store.leases.release(task);
  open();
  await working;
  await fake.another().recoverAll(NEVER);
  expect([await fake.engine.store.tasks.state(id), await leases()]).toEqual(["undone", 0]);
});
