import { expect, test } from "vitest";
import type { Command, CommandResult } from "../contracts/server.ts";
import { relay } from "./relay.ts";

const ended = { exitCode: null, signal: null, stdout: Buffer.alloc(0), stderr: "", timedOut: false, truncated: false };

/** A relay whose peer lets nobody in: it runs until it is stopped. */
async function silent({ signal }: Command): Promise<CommandResult> {
  await new Promise((resolve) => signal?.addEventListener("abort", resolve, { once: true }));
  return { ...ended, aborted: true };
}

test("a socket that lets nobody in and says nothing is given up, and its process is stopped", async () => {
  let running: Promise<CommandResult> | undefined;
  const opening = relay(
    "web1",
    { path: "/run/db.sock", user: "mysql" },
    async (command) => (running = silent(command)),
    20,
  );
  await expect(opening).rejects.toMatchObject({ code: "HW_SOCKET_UNREACHABLE", retryable: true, server: "web1" });
  expect(await running).toMatchObject({ aborted: true });
});
