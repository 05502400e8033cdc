import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, file, NEVER } from "../../../test/fake-worker.ts";
import { Events } from "../events.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";

import { endQueued } from "./end-queued.ts";
import { SYSTEM_CLOCK } from "../../model/time.ts";
import { Worker } from "./worker.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  const full = new HostwrightError("HW_DISK_FULL", "events.db: disk is full. Nothing was written.", {
    retryable: true,
  });
  vi.spyOn(fake.engine.store.events, "append").mockRejectedValue(full);
});

/** What others wait for: the lease that a task has on itself keeps nobody waiting. */
const leases = async (): Promise<number> =>
  (await fake.engine.store.leases.list()).filter(({ scope, task }) => scope !== `task/${task}`).length;

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

test("an end that its worker could not tell before it died is told by another one, once events can be stored", async () => {
  const { id } = await fake.submit("a");
  await fake.worker.work(id, NEVER);
  // What was kept in the dead worker's memory is lost with it.
  vi.spyOn(process, "emitWarning").mockReturnValue();
  await fake.engine.events.close();
  const { store } = fake.engine;
  const another = new Worker(fake.parts, new Events(store.events));
  const told = async (): Promise<readonly string[]> =>
    (await store.events.after(0)).filter(({ task }) => task === id).map(({ type }) => type);
  await another.recoverAll(NEVER);
  expect(await told()).toEqual([]);
  vi.mocked(store.events.append).mockRestore();
  await another.recoverAll(NEVER);
  // At least once: the other one has tried before.
  expect([...new Set(await told())]).toEqual(["task:finished"]);
  expect(await store.leases.list()).toEqual([]);
});

test("the end of a task that nobody began is told by a worker where its process died before it could", async () => {
  const { id } = await fake.submit("a");
  vi.spyOn(process, "emitWarning").mockReturnValue();
  const { store, events } = fake.engine;
  expect(
    await endQueued({ store, clock: SYSTEM_CLOCK }, events, id, new HostwrightError("HW_CANCELLED", "no")),
  ).toMatchObject({
    state: "undone",
  });
  // What was kept in its memory is lost with it.
  await events.close();
  vi.mocked(store.events.append).mockRestore();
  await new Worker(fake.parts, new Events(store.events)).recoverAll(NEVER);
  const told = (await store.events.after(0)).filter(({ task, type }) => task === id && type === "task:finished");
  expect(told.map(({ payload }) => payload)).toMatchObject([{ state: "undone", error: { code: "HW_CANCELLED" } }]);
  expect(await store.leases.list()).toEqual([]);
});
