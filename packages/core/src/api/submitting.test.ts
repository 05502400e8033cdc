import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openOwn, own } from "../../test/own-facade.ts";

/** Another process locks a file of the store; gives what ends that. */
async function lockedBy(path: string): Promise<() => Promise<void>> {
  const script = `
    const { DatabaseSync } = require("node:sqlite");
    const db = new DatabaseSync(process.argv[1]);
    db.exec("BEGIN EXCLUSIVE");
    process.stdout.write("locked");
    process.stdin.on("end", () => db.exec("ROLLBACK")).resume();`;
  const child = spawn(process.execPath, ["--no-warnings", "--eval", script, path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return async () => {
    const exit = once(child, "exit");
    child.stdin.end();
    await exit;
  };
}

test("while another process has events.db locked, a submit gives the task as it is stored, once for its key", async () => {
  const { hw, stateDir } = await openOwn();
  const unlock = await lockedBy(join(stateDir, "events.db"));
  const task = await hw.submit(own("a"), { key: "k" });
  expect((await hw.submit(own("a"), { key: "k" })).id).toBe(task.id);
  expect((await hw.tasks.list()).tasks).toMatchObject([{ id: task.id, state: "queued" }]);
  await using _working = hw.work();
  expect(await task.outcome()).toMatchObject({ state: "succeeded" });
  await unlock();
  const told: string[] = [];
  for await (const { type } of hw.events()) {
    told.push(type);
    if (type === "task:finished") break;
  }
  expect(told.slice(0, 2)).toEqual(["task:submitted", "task:started"]);
});
