import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { deleteSite, verify, type Hostwright } from "@hostwright/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LivingServer } from "./support/living-server.ts";
import { page } from "./support/page.ts";

let living: LivingServer;

beforeAll(async () => {
  living = await LivingServer.start();
});

afterAll(async () => {
  await living[Symbol.asyncDispose]();
});

/** Event and action at which the first worker dies, and milliseconds after it. */
type Point = readonly [event: string, action: number | "", ms: number];

const INSTALL: readonly Point[] = [
  ["task:started", "", 0],
  ["action:started", 0, 0],
  ["action:started", 0, 15],
  ["action:finished", 0, 0],
  ["action:started", 1, 40],
  ["action:started", 1, 150],
  ["action:finished", 1, 0],
  ["action:started", 2, 80],
  ["action:finished", 2, 0],
  ["action:started", 3, 60],
  ["action:started", 3, 300],
  ["action:finished", 3, 0],
  ["action:started", 4, 60],
  ["action:started", 4, 200],
  ["action:finished", 4, 0],
  ["action:finished", 5, 0],
  ["task:committed", "", 0],
];

const DELETE: readonly Point[] = [
  ["action:started", 0, 50],
  ["action:finished", 0, 0],
  ["action:finished", 1, 0],
  ["task:committed", "", 0],
  ["action:started", 2, 60],
  ["action:started", 3, 60],
  ["action:finished", 3, 0],
];

/** A worker process of its own takes the queued task, and is killed. True when it died before it was through. */
async function workAndDie(hw: Hostwright, [event, action, ms]: Point): Promise<boolean> {
  const script = join(import.meta.dirname, "support/crash-worker.ts");
  const last = await lastEvent(hw);
  const child = spawn(
    process.execPath,
    ["--conditions=@hostwright/source", script, living.state.path, event, String(action), String(ms)],
    { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, AFTER: String(last) } },
  );
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  return signal === "SIGKILL";
}

async function lastEvent(hw: Hostwright): Promise<number> {
  let seq = 0;
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  for await (const event of hw.events({ signal: stop.signal })) seq = event.seq;
  return seq;
}

test.each(INSTALL)("an install whose worker dies at %s %s + %i ms is whole, or was never there", async (...point) => {
  const { hw, host } = living;
  const domain = `c${INSTALL.findIndex((known) => String(known) === String(point))}.example.com`;
  const task = await hw.submit(living.install(domain));
  expect(await workAndDie(hw, point)).toBe(true);
  await using _worker = hw.work();
  const outcome = await task.outcome();
  expect(outcome.residue).toEqual([]);
  if (outcome.state === "succeeded") {
    expect((await page(host, domain, "/")).status).toBe(200);
    expect((await hw.plan(verify(domain))).actions).toEqual([]);
    await hw.run(deleteSite(domain));
  } else {
    expect(outcome.state).toBe("undone");
    expect(outcome.error).toMatchObject({ code: "HW_INTERRUPTED", retryable: true });
  }
  await living.expectUnharmed();
});

test.each(DELETE)("a delete whose worker dies at %s %s + %i ms is through, or has not begun", async (...point) => {
  const { hw, host } = living;
  const domain = `d${DELETE.findIndex((known) => String(known) === String(point))}.example.com`;
  await hw.run(living.install(domain));
  const task = await hw.submit(deleteSite(domain));
  expect(await workAndDie(hw, point)).toBe(true);
  await using _worker = hw.work();
  const outcome = await task.outcome();
  expect(outcome).toMatchObject({ state: "succeeded", residue: [] });
  expect((await page(host, domain, "/")).title).not.toBe(domain);
  await living.expectUnharmed();
});
