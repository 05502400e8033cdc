import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { openInstance, type Run } from "./instance.ts";

test("two threads, and two copies of the module in one of them, work each task once, as different holders, with a token each", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hostwright-instances-"));
  const names = ["a", "b", "c", "d", "e", "f"];
  const runs: Run[] = [];
  const opened = Promise.withResolvers<void>();
  const common = { directory, tasks: names };
  const mine = await openInstance({ ...common, tell: (run) => runs.push(run), opened: opened.promise });
  const execArgv = ["--conditions=@hostwright/source", "--no-warnings"];
  const thread = new Worker(new URL("instance-thread.ts", import.meta.url), { workerData: common, execArgv });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
  const tell = (what: string): void => thread.postMessage(what);
  const ended = once(thread, "exit");
  onTestFinished(async () => {
    opened.resolve();
    await thread.terminate();
    await mine.close();
    rmSync(directory, { recursive: true });
  });
  let hasLooked = false;
  thread.on("message", (told: Run | "looked") => {
    if (told === "looked") hasLooked = true;
    else runs.push(told);
  });

  // Each of the three has one, and looks at those of the others.
  const tasks = await Promise.all(names.map(async (id) => mine.fake.submit(id, { id })));
  await expect.poll(() => runs.length).toBeGreaterThanOrEqual(3);
  tell("look");
  await mine.look();
  await expect.poll(() => hasLooked).toBe(true);
  await delay(100);
  expect(new Set(runs.map(({ holder }) => holder)).size).toBe(3);
  expect(runs).toHaveLength(3);

  tell("go on");
  opened.resolve();
  for (const one of tasks) expect(await one.outcome()).toMatchObject({ state: "succeeded" });
  tell("close");
  expect(await ended).toEqual([0]);
  expect(runs.map(({ task }) => task).toSorted()).toEqual(names);
  expect(new Set(runs.map(({ token }) => token)).size).toBe(names.length);
  expect(await mine.fake.engine.store.leases.list()).toEqual([]);
});
