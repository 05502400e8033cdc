import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, file, NEVER } from "../../../test/fake-worker.ts";
import type { Task } from "../../api/task.ts";

let fake: FakeWorker;

beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

/** Two actions, with a moment between them at which the server may lose something. */
async function worked(between: () => void): Promise<Task> {
  fake.engine.operation("pause", { run: async () => between(), undo: async () => undefined });
  fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "pause")] });
  const task = await fake.submit("a");
  await fake.worker.work(task.id, NEVER);
  return task;
}

const lose = (): void => void fake.world.states("web1").delete("file /a");
const restart = async (): Promise<void> => {
  const { server } = await fake.parts.pool.hold({ id: "web1", name: "web1", connect: { type: "local" } } as never);
  const script = server.script.bind(server);
  // The one question that a fake server is asked about its boot: it says that it is another.
  server.script = async (given) => ({
    ...(await script(given)),
    exitCode: given.script.includes("read -r installation") ? 1 : 0,
  });
};

describe("before the commit row", () => {
  test("a server that was restarted is looked at again: what it lost takes the task back", async () => {
    await restart();
    expect(await (await worked(lose)).outcome()).toMatchObject({
      state: "undone",
      residue: [],
      error: { code: "HW_INTERRUPTED", retryable: true, server: "web1" },
    });
  });

  test("a server that was restarted and lost nothing lets the task go on", async () => {
    await restart();
    expect(await (await worked(() => undefined)).outcome()).toMatchObject({ state: "succeeded" });
  });

  test("a server that ran on is not read again", async () => {
    expect(await (await worked(lose)).outcome()).toMatchObject({ state: "succeeded" });
  });
});
