import { spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "ssh2";
import { expect, onTestFinished, test } from "vitest";
import { FakeSshd, MARK } from "../../test/servers/fake-sshd.ts";
import { keepAlive } from "./keep-alive.ts";

test("a process ends by itself though it left a connection open, and not before its command has", async () => {
  await using sshd = await FakeSshd.start();
  sshd.onExec = (channel) => {
    channel.write(MARK);
    setTimeout(() => {
      channel.write("worked");
      channel.exit(0);
      channel.end();
    }, 500);
  };
  const script = new URL("../../test/servers/idle-child.ts", import.meta.url).pathname;
  const args = ["--conditions=@hostwright/source", "--no-warnings", script];
  const started = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void started.kill("SIGKILL"));
  started.stdin.end(JSON.stringify(sshd.endpoint));
  expect(await text(started.stdout)).toBe("worked\n");
  expect((await once(started, "exit"))[0]).toBe(0);
});

test("a connection is given up when it answers no longer, and not before", async () => {
  const socket = new Socket();
  let asked = 0;
  let answers = true;
  const unforwardIn = (_address: string, _port: number, answer: () => void): void => {
    asked += 1;
    if (answers) answer();
  };
  keepAlive({ unforwardIn } as unknown as Client, socket, 5);
  await expect.poll(() => asked).toBeGreaterThan(10);
  expect(socket.destroyed).toBe(false);
  answers = false;
  await expect.poll(() => socket.destroyed).toBe(true);
  const before = asked;
  await delay(50);
  expect(asked).toBe(before);
});
