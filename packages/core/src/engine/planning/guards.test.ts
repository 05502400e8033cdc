import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeEngine, ensureStep, runStep } from "../../../test/fake-engine.ts";
import { FakeServer, FakeWorld } from "../../../test/fake-world.ts";
import { testTarget } from "../../../test/test-target.ts";
import type { Guard } from "../../contracts/guard.ts";
import { LocalServer } from "../../servers/local-server.ts";
import { checkGuards } from "./guards.ts";
import { renderPlan } from "./render-plan.ts";
import { planHash } from "./seal-plan.ts";

const MB = 1_000_000;
const room = (megabytes: number, path = "/srv/big"): Guard => ({ kind: "free-space", path, bytes: megabytes * MB });

let world: FakeWorld;
let engine: FakeEngine;
/** Megabytes free, by the folder that each file system is mounted at. */
let free: Record<string, number>;
let asked: (readonly string[])[];

beforeEach(async () => {
  [free, asked] = [{ "/srv": 100, "/var": 100 }, []];
  world = new FakeWorld();
  const tree = {
    ...world.type("tree"),
    guards: ({ key, value }: { key: string; value: unknown }) => [room(Number(value), key)],
  };
  engine = await FakeEngine.open(world, [tree, world.type("file")]);
  engine.operation("work", { run: async () => void world.effects.push("work") });
  vi.spyOn(FakeServer.prototype, "script").mockImplementation((async ({ args = [] }: { args?: string[] }) => {
    asked.push(args);
    const lines = args.map((path) => `/${path.split("/")[1]}\n${(free[`/${path.split("/")[1]}`] ?? 0) * 1000} 1000\n`);
    return {
      exitCode: 0,
      signal: null,
      stdout: Buffer.from(lines.join("")),
      stderr: "",
      timedOut: false,
      aborted: false,
      truncated: false,
    };
  }) as never);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await engine[Symbol.asyncDispose]();
});

const tree = (key: string, megabytes: number): ReturnType<typeof ensureStep> =>
  ensureStep("web1", [{ type: "tree", spec: { key, value: String(megabytes) }, owner: "platform/p1" }]);
const file = (key: string): ReturnType<typeof ensureStep> =>
  ensureStep("web1", [{ type: "file", spec: { key, value: "x" }, owner: "site/s1" }]);

test("a step of resources has what it asks for itself beside what they do, and nothing where all stands", async () => {
  const step = { ...tree("/srv/one", 40), guards: [room(30, "/var/db")] };
  const plan = await engine.plan(step);
  expect(plan.actions.map(({ guards }) => guards)).toEqual([[room(30, "/var/db"), room(40, "/srv/one")]]);
  await engine.run(plan);
  asked = [];
  expect((await engine.plan(step)).actions).toEqual([]);
  expect(asked).toEqual([]);
  await expect(engine.plan({ ...file("/first"), guards: [room(101, "/var/db")] })).rejects.toMatchObject({
    code: "HW_DISK_FULL",
    message: expect.stringContaining("Nothing was changed."),
  });
});

test("a plan says what it needs, its hash covers it, and a plan without guards asks nobody", async () => {
  const plan = await engine.plan(tree("/srv/one", 40), runStep("web1", "work", { guards: [room(5, "/var/db")] }));
  expect(plan.actions.map(({ guards }) => guards)).toEqual([[room(40, "/srv/one")], [room(5, "/var/db")]]);
  expect(renderPlan(plan)).toContain("ensure on web1\n     ? only with 40.0 MB free at /srv/one\n     + tree /srv/one");
  expect(renderPlan(plan)).toContain("(runs work)\n     ? only with 5.0 MB free at /var/db\n");
  const [first, second] = plan.actions;
  if (first === undefined || second === undefined) throw new Error("a plan of two");
  const other = { ...plan, actions: [{ ...first, guards: [room(41, "/srv/one")] }, second] };
  expect(await planHash(other)).not.toBe(await planHash(plan));
  expect(asked).toEqual([["/srv/one", "/var/db"]]);
  asked = [];
  await engine.carryOut(file("/a"), runStep("web1", "work"));
  expect(asked).toEqual([]);
});

test("planning refuses what cannot be, and counts what earlier actions take of the same disk", async () => {
  const plan = async (...sizes: number[]): Promise<unknown> =>
    engine.plan(...sizes.map((size, i) => tree(`/srv/${i}`, size)));
  await expect(plan(60, 40)).resolves.toBeDefined();
  await expect(plan(60, 41)).rejects.toMatchObject({
    code: "HW_DISK_FULL",
    message: '"ensure on web1" needs 41.0 MB at /srv/1 on web1, but only 40.0 MB are free there. Nothing was changed.',
    data: { path: "/srv/1", bytes: 41 * MB, free: 40 * MB },
    remedy: "Free 1.0 MB there, then try again.",
  });
  expect(world.effects).toEqual([]);
});

test("what stands already needs no room", async () => {
  await engine.carryOut(tree("/srv/one", 40));
  free["/srv"] = 0;
  expect((await engine.plan(tree("/srv/one", 40))).actions).toEqual([]);
  const [action] = (await engine.plan(tree("/srv/one", 50))).actions;
  expect(action).toMatchObject({ changes: [{ key: "/srv/one" }] });
  expect(action?.guards).toBeUndefined();
});

test("each action's guards are asked once, right before it: what filled up in between is refused, and the rest undone", async () => {
  const plan = await engine.plan(file("/first"), tree("/srv/one", 40), file("/last"));
  asked = [];
  world.onEffect = (_server, _type, key) => {
    if (key === "/first") free["/srv"] = 39;
  };
  const { committed, error, residue } = await engine.run(plan);
  expect([committed, residue]).toEqual([false, []]);
  expect(error).toMatchObject({ code: "HW_DISK_FULL", message: expect.stringContaining("Nothing of it was begun.") });
  expect(world.effects).toEqual(["web1 + file /first", "web1 - file /first"]);
  expect(asked).toEqual([["/srv/one"]]);
  expect((await engine.store.journal.read(plan.task)).filter((row) => row.action === 1)).toEqual([]);
});

test("an operation's guard is asked before the operation begins", async () => {
  const plan = await engine.plan(file("/first"), runStep("web1", "work", { guards: [room(50)] }));
  free["/srv"] = 49;
  expect((await engine.run(plan)).error).toMatchObject({ code: "HW_DISK_FULL" });
  expect(world.effects).toEqual(["web1 + file /first", "web1 - file /first"]);
});

test("free space is that of the nearest folder that exists, in one round trip for all", async () => {
  vi.restoreAllMocks();
  const folder = mkdtempSync(join(tmpdir(), "guards-"));
  const server = new LocalServer("here");
  try {
    const { bavail, bsize } = statfsSync(folder);
    const ask = async (...guards: Guard[]): Promise<void> =>
      checkGuards(testTarget({}, server), [{ title: "it", guards }], "Nothing.");
    const path = `${folder}/not there/-yet`;
    await ask({ kind: "free-space", path, bytes: 1 }, { kind: "free-space", path: "/nowhere", bytes: 1 });
    expect(server.stats.roundTrips).toBe(1);
    await expect(ask({ kind: "free-space", path, bytes: 2 * bavail * bsize })).rejects.toMatchObject({
      code: "HW_DISK_FULL",
    });
    await expect(ask({ kind: "moon-phase" } as never)).rejects.toMatchObject({ code: "HW_PLUGIN_MISSING" });
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
