import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeEngine, ensureStep, runStep, serverRecord } from "../../../test/fake-engine.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import { plainHttp, plainPlugin } from "../../../test/plain-plugin.ts";
import type { ActivateStep, EnsureStep, Step } from "../../contracts/steps.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { Action } from "../planning/plan.ts";
import { isBegun, undoOrder } from "./activations.ts";
import type { Publishing } from "./runner-parts.ts";

const ROOT = plainHttp.role.publication.root;
const services = [{ name: "http", kind: "http", type: "web", options: { port: 80 }, optionsVersion: 3 }];
const web1: ServerRecord = { ...serverRecord("web1"), services };

let world: FakeWorld;
let engine: FakeEngine;
/** What was put in force, with how the server stood then. */
let published: { readonly files: string; readonly keys: readonly string[]; readonly force: boolean | null }[];

beforeEach(async () => {
  world = new FakeWorld();
  published = [];
  const publish = async (
    _server: ServerRecord,
    _service: string,
    _session: unknown,
    { changes, force }: Publishing,
  ) => {
    const files = JSON.stringify(world.snapshot()["web1"] ?? {});
    published.push({ files, keys: changes.map(({ key }) => key), force });
  };
  engine = await FakeEngine.open(world, [world.type("file")], { plugins: [plainPlugin], publish });
});
afterEach(async () => engine[Symbol.asyncDispose]());

const entry = (site: string): string => `${ROOT}/entries/${site}.conf`;
const pages = (value: string, change: Partial<EnsureStep> = {}): EnsureStep => ({
  ...ensureStep("web1", [{ type: "file", spec: { key: entry("s1"), value }, owner: "site/s1" }]),
  server: web1,
  ...change,
});
const own = (value: string): EnsureStep => ({
  ...ensureStep("web1", [{ type: "file", spec: { key: "/etc/web.conf", value }, owner: "server/web1" }]),
  id: "own",
  server: web1,
});
const activate = (change: Partial<ActivateStep> = {}): ActivateStep => ({
  kind: "activate",
  title: "publish",
  server: web1,
  phase: "prepare",
  service: "http",
  ...change,
});

describe("an activation", () => {
  test("is planned for changed entries, and for other files only of the steps that it names", async () => {
    const kinds = async (...steps: readonly Step[]): Promise<readonly string[]> =>
      (await engine.plan(...steps)).actions.map(({ kind }) => kind);
    expect(await kinds(pages("x"), activate())).toEqual(["ensure", "activate"]);
    expect(await kinds(own("x"), activate())).toEqual(["ensure"]);
    expect(await kinds(own("x"), activate({ of: ["own"] }))).toEqual(["ensure", "activate"]);
    await engine.carryOut(own("x"), pages("x"), activate({ of: ["own"] }));
    expect(await kinds(own("x"), pages("x"), activate({ of: ["own"] }))).toEqual([]);
  });

  test("has all that changed since the one before it, and asks for a generation where other files did", async () => {
    await engine.carryOut(own("x"), pages("x"), activate({ of: ["own"] }), pages("y"), activate());
    expect(published.map(({ keys, force }) => [keys, force])).toEqual([
      [["/etc/web.conf", entry("s1")], true],
      [[entry("s1")], false],
    ]);
  });

  test("is undone when what it put in force is as it was, whatever comes between", async () => {
    await engine.carryOut(pages("before"), activate());
    published = [];
    engine.operation("between", {});
    engine.operation("fail", { run: () => Promise.reject(new Error("no")) });
    const steps = [pages("after"), runStep("web1", "between"), activate(), runStep("web1", "fail")];
    expect(await engine.carryOut(...steps)).toMatchObject({ committed: false, residue: [] });
    expect(published.map(({ files }) => JSON.parse(files) as unknown)).toEqual([
      { [`file ${entry("s1")}`]: "after" },
      { [`file ${entry("s1")}`]: "before" },
    ]);
  });

  test("that was not come to is made up for in the undo: another task may have put the entries in force", async () => {
    engine.operation("fail", { run: () => Promise.reject(new Error("no")) });
    expect(await engine.carryOut(pages("x"), runStep("web1", "fail"), activate())).toMatchObject({
      committed: false,
      residue: [],
    });
    expect(published.map(({ files }) => files)).toEqual(["{}"]);
  });

  test("of which nothing was begun is not looked after in the undo", async () => {
    engine.operation("fail", { run: () => Promise.reject(new Error("no")) });
    expect(await engine.carryOut(runStep("web1", "fail"), pages("x"), activate())).toMatchObject({ committed: false });
    expect(published).toEqual([]);
  });
});

test("a plan that was stored with its publication in a step is carried out and undone as it was made", async () => {
  engine.operation("fail", { run: () => Promise.reject(new Error("no")) });
  const made = await engine.plan(pages("x"), runStep("web1", "fail"));
  const actions = made.actions.map((action) => (action.kind === "ensure" ? { ...action, publish: "http" } : action));
  expect(await engine.run({ ...made, actions })).toMatchObject({ committed: false, residue: [] });
  const keys = [entry("s1")];
  expect(published).toEqual([
    { files: JSON.stringify({ [`file ${entry("s1")}`]: "x" }), keys, force: null },
    { files: "{}", keys, force: null },
  ]);
});

test("actions are taken back last first, an activation behind the first of those that it put in force", () => {
  const action = (from?: number): Action =>
    (from === undefined ? { kind: "run" } : { kind: "activate", from }) as unknown as Action;
  expect(undoOrder([action(), action(), action(0), action(), action(3)])).toEqual([3, 4, 1, 0, 2]);
  expect(undoOrder([action(0)])).toEqual([0]);
  expect(undoOrder([])).toEqual([]);
});

test("an activation is owed by an undo as soon as anything was begun of what it puts in force", () => {
  const actions = [{ kind: "run" }, { kind: "ensure" }, { kind: "activate", from: 1 }] as unknown as readonly Action[];
  const owed = (...begun: number[]): boolean => isBegun(actions, 2, new Set(begun));
  expect([owed(), owed(0), owed(0, 1), owed(2)]).toEqual([false, false, true, true]);
  expect([isBegun(actions, 1, new Set([1])), isBegun(actions, 1, new Set([0]))]).toEqual([true, false]);
});
