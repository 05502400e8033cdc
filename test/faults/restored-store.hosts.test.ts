import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { deleteSite, verify, type Hostwright, type Listener } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diffListing } from "../hosts/listing.ts";
import { settledListing } from "../support/listing.ts";
import { FIRST, LivingServer } from "../support/living-server.ts";
import { page } from "../support/page.ts";
import { backUp, openRestored } from "./backup.ts";
import { Tally } from "./judge.ts";
import { WorkerProcess } from "./worker-process.ts";

const [GONE, LATER, UNFINISHED, NEW, PAUSED] = ["gone", "later", "unfinished", "new", "paused"].map(
  (name) => `${name}.example.com`,
) as [string, string, string, string, string];

let living: LivingServer;
let restored: Hostwright;
let unfinished: string;
let refused: string;
let late: WorkerProcess;
const folders: string[] = [];
const tally = new Tally();

/** The lost store goes on after the backup: a site is deleted, one is made, one is finished, one is being made. */
beforeAll(async () => {
  living = await LivingServer.start();
  const { hw, state } = living;
  await hw.run(living.install(GONE));
  let copying: Promise<string> | undefined;
  const onEvent: Listener = (event) => {
    if (event.type !== "action:started" || !event.payload.title.startsWith("installer")) return;
    unfinished = event.task ?? "";
    living.gate.while(async () => (copying = backUp(state.path)));
  };
  await hw.run(living.install(UNFINISHED), { onEvent });
  const copy = await copying;
  if (copy === undefined) throw new Error("there is no backup");
  folders.push(copy);
  await hw.run(deleteSite(GONE));
  await hw.run(living.install(LATER));
  late = await WorkerProcess.start({ stateDir: state.path, leaseMs: 60_000 });
  const paused = await hw.submit(living.install(PAUSED));
  await late.heard((told) => told.type === "action:started" && told.task === paused.id && (told.action ?? 0) === 1);
  await late.stopAt(paused.id, 1);
  await delay(500);
  for (const domain of [LATER, UNFINISHED]) await page(living.host, domain, "/");
  restored = await openRestored(copy);
});

afterAll(async () => {
  tally.print("a restored store");
  await late?.[Symbol.asyncDispose]();
  await restored?.[Symbol.asyncDispose]();
  await living?.[Symbol.asyncDispose]();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** But for the fences of single sites: what was refused there leaves its mark. */
async function listing(): Promise<string> {
  const lines = (await settledListing(living.host)).split("\n");
  return lines.filter((line) => !line.includes("/var/lib/hostwright/fence/site-")).join("\n");
}

async function expectSameHost(work: () => Promise<unknown>): Promise<void> {
  const before = await listing();
  await work();
  expect(diffListing(before, await listing())).toBe("");
  for (const domain of [FIRST, LATER, UNFINISHED]) {
    expect((await page(living.host, domain, "/")).status, domain).toBe(200);
  }
}

async function ended(hw: Hostwright, work: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const error = (await work().then(
    () => new Error("it succeeded"),
    (thrown: unknown) => thrown,
  )) as { code?: string; data?: Record<string, unknown> };
  const id = String(error.data?.["task"]);
  const outcome = await hw.task(id).outcome();
  tally.add(outcome);
  return { code: error.code, state: outcome.state, id };
}

describe("a store restored from a backup, before its epoch is raised", () => {
  test("changes nothing on a server that saw more, and says what to do", async () => {
    await expectSameHost(async () => {
      const { code, state, id } = await ended(restored, async () => restored.run(living.install(NEW)));
      expect(code).toBe("HW_STORE_RESTORED");
      expect(state).toBe("needs-attention");
      refused = String(id);
      const { error } = await restored.task(refused).outcome();
      expect(error).toMatchObject({ server: "web1", remedy: expect.stringContaining("raiseEpoch") });
    });
  });

  test("does not take back what was unfinished in it, although its worker seems dead", async () => {
    await expectSameHost(async () => {
      // Of the backup: what holds its leases is this very process, as a machine that was set up anew would not be.
      const copy = await backUp(folders[0] ?? "");
      folders.push(copy);
      await forgetHolders(copy);
      await using hw = await openRestored(copy);
      await using _worker = hw.work();
      expect(await hw.task(unfinished).outcome()).toMatchObject({
        state: "needs-attention",
        error: { code: "HW_STORE_RESTORED" },
      });
    });
  });
});

describe("once its epoch was raised", () => {
  beforeAll(async () => {
    const report = await restored.raiseEpoch();
    expect(report).toMatchObject({ epoch: 2, unreached: [] });
    expect(report.tasks).toEqual([unfinished]);
  });

  test("what was unfinished waits for a person, who takes it as done: its site stands as planned", async () => {
    await expectSameHost(async () => {
      await using _worker = restored.work();
      await delay(3_000);
      const outcome = await restored.task(unfinished).outcome();
      expect(outcome).toMatchObject({ state: "needs-attention", error: { code: "HW_STORE_RESTORED" } });
      expect(outcome.residue.length).toBeGreaterThan(0);
      await restored.task(unfinished).resolve("complete");
      expect(await restored.task(unfinished).outcome()).toMatchObject({ state: "succeeded", residue: [] });
      expect((await restored.plan(verify(UNFINISHED))).actions.map(({ title }) => title)).toEqual([]);
    });
  });

  test("what was refused before can be taken back, and leaves nothing", async () => {
    await expectSameHost(async () => {
      await restored.task(refused).resolve("retry");
      expect(await restored.task(refused).outcome()).toMatchObject({ state: "undone", residue: [] });
    });
  });

  test("workers of the lost store change nothing more, also one that was in the middle of a task", async () => {
    await expectSameHost(async () => {
      const { code, state } = await ended(living.hw, async () => living.hw.run(living.install(NEW)));
      expect({ code, state }).toEqual({ code: "HW_STORE_RESTORED", state: "needs-attention" });
      late.wake();
      await late.end();
    });
  });

  test("sites that were made after the backup are kept, with their names and unix ids", async () => {
    await expectSameHost(async () => {
      for (const domain of [LATER]) {
        await expect(restored.run(living.install(domain))).rejects.toMatchObject({
          code: "HW_NAME_TAKEN",
          remedy: expect.stringContaining("backup was put back"),
        });
      }
    });
    const used = (await living.host.sh("getent passwd")).split("\n").map((line) => Number(line.split(":")[2]));
    const highest = Math.max(...used.filter((uid) => uid >= 20_000 && uid < 60_000));
    await restored.run(living.install(NEW));
    expect((await page(living.host, NEW, "/")).status).toBe(200);
    expect((await restored.sites.get(NEW)).uid).toBeGreaterThan(highest);
    const plan = await restored.plan(verify("web1"));
    const later = (await living.hw.sites.get(LATER)).id;
    expect(plan.render()).not.toContain(later);
    await restored.run(deleteSite(NEW));
    await expectSameHost(async () => undefined);
  });

  test("what was deleted after the backup is shown as missing, and can be deleted for good", async () => {
    const { id } = await restored.sites.get(GONE);
    const plan = await restored.plan(verify(GONE));
    expect(plan.empty).toBe(false);
    expect(plan.render()).toContain(id);
    await expectSameHost(async () => restored.run(deleteSite(GONE)));
    expect((await restored.plan(verify(FIRST))).empty).toBe(true);
  });
});

/** The processes of the lost machine, as the machine knows them on which the backup is restored: gone. */
async function forgetHolders(folder: string): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  using store = new DatabaseSync(`${folder}/store.db`);
  store.exec("UPDATE leases SET holder = '1:1:00000000-0000-0000-0000-000000000000:1'");
}
