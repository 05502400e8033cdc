import { expect, test, vi } from "vitest";
import { changedStore } from "../../../test/changed-store.ts";
import { runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, NEVER, file } from "../../../test/fake-worker.ts";
import { Worker } from "./worker.ts";

test("a worker that wakes up in an undo removes nothing that the next task of the site has registered", async () => {
  await using fake = await FakeWorker.open();
  const [reached, woken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const store = changedStore(fake.engine.store, ({ register }) => {
    const late = register.remove.bind(register);
    const remove: typeof register.remove = async (rows) => {
      reached.resolve();
      await woken.promise;
      await late(rows);
    };
    vi.spyOn(register, "remove").mockImplementation(remove);
    return {};
  });
  const stopped = new Worker({ ...fake.parts, store }, fake.engine.events);
  fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "fail")] });
  const first = await fake.submit("a");
  const working = stopped.work(first.id, NEVER);
  await reached.promise;
  // Its lease is over: another one ends the undo, and a new task makes the same file.
  await fake.engine.store.leases.release(first.id);
  expect(await fake.worker.recover(first.id)).toMatchObject({ state: "undone", residue: [] });
  fake.drafts.set("b", { steps: [file("/a")] });
  expect(await fake.worker.work((await fake.submit("b")).id, NEVER)).toMatchObject({ state: "succeeded" });
  woken.resolve();
  await expect(working).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
  expect((await fake.engine.registered("web1")).map(({ key }) => key)).toEqual(["/a"]);
});
