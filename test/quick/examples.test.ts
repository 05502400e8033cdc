import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createHostwright,
  local,
  PART,
  prepare,
  provide,
  secret,
  verify,
  type Hostwright,
  type Notification,
} from "@hostwright/core";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { openWorker, receive } from "../../examples/notifications.ts";
import { ReadOnlyServer } from "../../packages/core/test/read-only-server.ts";
import { approve, openPanel, show } from "../../examples/panel.ts";

const here = provide(
  PART.openServer,
  () =>
    async ({ name }) =>
      new ReadOnlyServer(name),
);

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "hostwright-examples-"));
  onTestFinished(() => rmSync(stateDir, { recursive: true }));
});

async function open(opening: Promise<Hostwright>): Promise<Hostwright> {
  const hw = await opening;
  onTestFinished(async () => hw[Symbol.asyncDispose]());
  return hw;
}

test("a panel is told of a failed task, signed, with what to do next", async () => {
  const whsec = secret(`whsec_${randomBytes(32).toString("base64")}`);
  const taken: Notification[] = [];
  const server = receive(whsec, (body) => void taken.push(body as Notification));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const shown = vi.spyOn(console, "error").mockReturnValue(undefined);
  onTestFinished(() => shown.mockRestore());
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const hw = await open(openWorker(stateDir, [], { url, secret: whsec }));
  await using _working = hw.work();
  const task = await hw.submit(verify("@nowhere"));
  expect(await task.outcome()).toMatchObject({ state: "undone" });
  await expect.poll(() => taken).toHaveLength(1);
  expect(taken[0]).toMatchObject({
    type: "task.failed",
    data: { task: task.id, about: "@nowhere", state: "undone", error: { code: "HW_NOT_FOUND" } },
  });
  expect(shown.mock.calls).toEqual([[expect.stringContaining("Next: ")]]);
  const forged = await fetch(url, { method: "POST", body: "{}", headers: { "webhook-signature": "v1,AAAA" } });
  expect([forged.status, taken.length]).toEqual([401, 1]);
});

test("a panel without key and credentials shows a plan that a worker made, and approves it", async () => {
  const worker = await open(createHostwright({ stateDir, plugins: [], provide: [here] }));
  await worker.servers.put({ name: "here", connect: local() });
  const hw = await open(openPanel(stateDir, []));
  const working = worker.work();
  const { text, plan, hash } = await show(hw, "ann", prepare("here"));
  expect(text).toContain("prepare server here");
  // Nobody works it: it would prepare the machine that runs this test.
  await working[Symbol.asyncDispose]();
  const id = await approve(hw, "ann", { plan, hash });
  expect(await approve(hw, "ann", { plan, hash })).toBe(id);
  await hw.task(id).cancel();
  expect(await hw.task(id).outcome()).toMatchObject({ state: "undone" });
});
