import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import {
  createHostwright,
  deleteSite,
  secret,
  type Hostwright,
  type Notification,
  type Secret,
} from "@hostwright/core";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { wordpress } from "@hostwright/platform-wordpress";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorker, receive } from "../examples/notifications.ts";
import { approve, openPanel, show } from "../examples/panel.ts";
import { LivingServer } from "./support/living-server.ts";
import { page } from "./support/page.ts";

const PLUGINS = [nginx, phpFpm, mysql, wordpress];
const SECOND = "second.example.com";

let living: LivingServer;
let panel: Hostwright;
let worker: Hostwright;
let working: AsyncDisposable;
const taken: Notification[] = [];
const whsec = secret(`whsec_${randomBytes(32).toString("base64")}`);
const receiver = receive(whsec, (body) => void taken.push(body as Notification));

beforeAll(async () => {
  living = await LivingServer.start();
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  worker = await openWorker(living.state.path, PLUGINS, { url, secret: whsec });
  panel = await openPanel(living.state.path, PLUGINS);
  working = worker.work();
});

afterAll(async () => {
  await working?.[Symbol.asyncDispose]();
  await panel?.[Symbol.asyncDispose]();
  await worker?.[Symbol.asyncDispose]();
  receiver.close();
  await living?.[Symbol.asyncDispose]();
});

async function told(task: string): Promise<Notification["data"] | undefined> {
  await expect.poll(() => taken.some(({ data }) => data.task === task)).toBe(true);
  return taken.find(({ data }) => data.task === task)?.data;
}

test("a panel without key and credentials has a site installed by a plan that somebody read and approved", async () => {
  const { text, plan, hash, empty } = await show(panel, "ann", living.install(SECOND));
  expect(empty).toBe(false);
  expect(text).toContain(`<db password of ${SECOND}>`);
  const task = panel.task(await approve(panel, "ann", { plan, hash }));
  const { state, value, residue } = await task.outcome();
  expect([state, residue]).toEqual(["succeeded", []]);
  expect((await page(living.host, SECOND, "/")).status).toBe(200);
  // It cannot be opened without the key.
  const link = value?.["loginLink"] as Secret;
  expect(() => link.reveal()).toThrow(expect.objectContaining({ code: "HW_ROLE_SUBMIT" }));
  expect(await told(task.id)).toMatchObject({
    about: SECOND,
    actor: "ann",
    state: "succeeded",
    value: { url: `http://${SECOND}/` },
  });
  expect(JSON.stringify(taken)).not.toContain("hostwright-login");
  expect((await worker.task(task.id).result())["loginLink"]).toMatchObject({ reveal: expect.any(Function) });
});

test.each([
  ["a plan of another task in the place of the approved one", "sealed = (SELECT sealed FROM plans WHERE id <> ?1)", 0],
  ["what somebody wrote in its place", "sealed = 'hw1.x.' || id", 0],
  ["the hash of another content", "hash = 'f00'", 1],
] as const)("whoever can write the store gets nothing run by %s", async (_what, change, byHash) => {
  await living.remember();
  const { plan, hash } = await show(panel, "ann", living.install("third.example.com"));
  const db = new DatabaseSync(join(living.state.path, "store.db"));
  db.prepare(`UPDATE plans SET ${change} WHERE id = ?1`).run(plan);
  db.close();
  const id = await approve(panel, "ann", { plan, hash: byHash === 1 ? "f00" : hash });
  expect(await panel.task(id).outcome()).toMatchObject({ state: "undone", error: { code: "HW_PLAN_FORGED" } });
  await living.expectUnharmed();
  expect(await told(id)).toMatchObject({ state: "undone", error: { code: "HW_PLAN_FORGED" } });
});

test("a request planned for reading is not in the way of the same request, and goes with its draft when it is swept", async () => {
  await living.remember();
  const shown = await show(panel, "ann", living.install("third.example.com"));
  const direct = await panel.submit(living.install("third.example.com"));
  expect(await direct.outcome()).toMatchObject({ state: "succeeded" });
  const late = panel.task(await approve(panel, "ann", shown));
  expect(await late.outcome()).toMatchObject({ state: "undone" });
  const removed = await panel.submit(deleteSite("third.example.com"));
  expect(await removed.outcome()).toMatchObject({ state: "succeeded" });
  await living.expectUnharmed();

  const read = await show(panel, "ann", living.install("fourth.example.com"));
  const db = new DatabaseSync(join(living.state.path, "store.db"));
  const drafts = (): unknown =>
    db.prepare("SELECT count(*) AS count FROM records WHERE kind = 'site' AND value LIKE '%\"draft\"%'").get();
  expect(drafts()).toEqual({ count: 1 });
  db.prepare("UPDATE plans SET expiresAt = '2026-01-01T00:00:00.000Z' WHERE id = ?").run(read.plan);
  const again = await createHostwright({ stateDir: living.state.path, plugins: PLUGINS });
  await using _sweeping = again.work();
  await expect.poll(drafts).toEqual({ count: 0 });
  db.close();
});
