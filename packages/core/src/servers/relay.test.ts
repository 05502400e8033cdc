import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import type { Readable, Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { Command, CommandResult } from "../model/server.ts";
import { LocalServer } from "./local-server.ts";
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

/** What would have ended the process from now on. */
function uncaught(): readonly unknown[] {
  const errors: unknown[] = [];
  const others = process.listeners("uncaughtException");
  const trap = (error: unknown): void => void errors.push(error);
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", trap);
  onTestFinished(() => {
    process.off("uncaughtException", trap);
    for (const other of others) process.on("uncaughtException", other);
  });
  return errors;
}

const lost = new Error("the connection was lost");
const address = { path: "/run/db.sock", user: "mysql" };

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

test.each([0, 1, 3])(
  "a connection that is lost before the first byte, %i turns on, is its caller's to know",
  async (late) => {
    const errors = uncaught();
    const run = async (): Promise<CommandResult> => turns(late).then(async () => Promise.reject(lost));
    await expect(relay("web1", address, run)).rejects.toBe(lost);
    await turns(3);
    expect(errors).toEqual([]);
  },
);

test.each([0, 1, 3])(
  "one that is lost after the first byte, %i turns on, ends the stream with its error",
  async (late) => {
    const errors = uncaught();
    const run = async ({ stdout }: Command): Promise<CommandResult> => {
      (stdout as Writable).write("\0");
      return turns(late).then(async () => Promise.reject(lost));
    };
    const stream = await relay("web1", address, run).catch((error: unknown) => error);
    await turns(5);
    // Which of the two comes first is not ours to say when both come at once.
    if (stream === lost) expect(late).toBe(0);
    else expect((stream as Readable).errored).toBe(lost);
    expect(errors).toEqual([]);
  },
);

test("a forward on this machine that breaks while nobody listens ends no process", async () => {
  const errors = uncaught();
  const peer = createServer().listen(0, "127.0.0.1");
  await once(peer, "listening");
  const server = new LocalServer("here");
  onTestFinished(async () => {
    await server.close();
    peer.close();
  });
  const { port } = peer.address() as AddressInfo;
  const stream = await server.forward({ host: "127.0.0.1", port });
  stream.destroy(lost);
  await turns(3);
  expect(stream.errored).toBe(lost);
  expect(errors).toEqual([]);
});
