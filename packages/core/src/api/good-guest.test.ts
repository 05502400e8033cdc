import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { folder } from "../../test/own-facade.ts";

/** What an application says, and how its process ends: by itself. */
async function application(what: string): Promise<readonly [said: string, code: unknown]> {
  const script = new URL("../../test/guest-child.ts", import.meta.url).pathname;
  const args = ["--conditions=@hostwright/source", "--no-warnings", script, folder(), what];
  const started = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void started.kill("SIGKILL"));
  const [said, [code]] = await Promise.all([text(started.stdout), once(started, "exit")]);
  return [said, code];
}

describe("the host's process", () => {
  test.each([
    ["ends though the instance was left open, when nothing is under way", "left open"],
    ["ends after closing, though a worker was never disposed", "a worker left to closing"],
    ["lives though onEvent, policy, notifier and a part of its own throw or reject", "callbacks"],
  ])("%s", { timeout: 30_000 }, async (_promise, what) => {
    expect(await application(what)).toEqual(["done\n", 0]);
  });
});
