import * as fc from "fast-check";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeEngine, ensureStep, runStep } from "../../../test/fake-engine.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import type { OperationContext, ProbeResult } from "../../contracts/operation.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { Text } from "../../model/text.ts";
import type { EnsureStep, Owned } from "../../contracts/steps.ts";

let engine: FakeEngine;
let world: FakeWorld;

beforeEach(async () => {
  world = new FakeWorld();
  engine = await FakeEngine.open(world, [
    world.type("user", { rank: 10 }),
    world.type("folder", { rank: 30 }),
    world.type("file"),
  ]);
  engine.operation("fail", { run: () => Promise.reject(new HostwrightError("HW_PROBE_FAILED", "no answer")) });
  onTestFinished(async () => engine[Symbol.asyncDispose]());
});

const OWNER = "server/web1";
const item = (type: string, key: string, value: Text): Owned => ({ type, spec: { key, value }, owner: OWNER });
const file = (key: string, value: Text = "x"): Owned => item("file", key, value);
const remove = [{ owners: [OWNER] }];

describe("undo restores exactly the state before, in reverse order", () => {
  const things = fc.dictionary(
    fc.constantFrom("user 1", "user 2", "folder 1", "folder 2", "file 1", "file 2", "file 3"),
    fc.constantFrom("a", "b"),
  );
  const steps = fc.array(fc.tuple(fc.constantFrom("one", "two"), things), { minLength: 1, maxLength: 4 });
  let runs = 0;

  /** Later steps declare only what earlier ones do not: one owner may not want two states of a thing. */
  function ensureSteps(
    run: number,
    wanted: readonly (readonly [string, Readonly<Record<string, string>>])[],
  ): EnsureStep[] {
    const seen = new Set<string>();
    return wanted.map(([server, values]) => {
      const fresh = Object.entries(values).filter(([place]) => !seen.has(`${server} ${place}`));
      for (const [place] of fresh) seen.add(`${server} ${place}`);
      const items = fresh.map(([place, value]) => item(place.split(" ")[0] ?? "", place, value));
      return ensureStep(`${server}-${run}`, items, { remove });
    });
  }

  async function failsAndIsUndone(
    before: Parameters<typeof ensureSteps>[1],
    after: Parameters<typeof ensureSteps>[1],
    arrange: (fail: () => void) => void,
    commit?: () => Promise<void>,
  ): Promise<void> {
    const run = ++runs;
    const servers = [`one-${run}`, `two-${run}`];
    await engine.carryOut(...ensureSteps(run, before));
    const plan = await engine.plan(...ensureSteps(run, after));
    const state = world.snapshot();
    const registered = await Promise.all(servers.map(async (name) => engine.registered(name)));
    world.effects.length = 0;
    let failedAt = -1;
    arrange(() => {
      failedAt = world.effects.length;
      throw new Error("lost");
    });
    const end = await engine.run(plan, commit === undefined ? {} : { commit });
    world.onEffect = world.afterEffect = () => undefined;
    if (failedAt < 0 && commit === undefined) return expect(end).toMatchObject({ committed: true, residue: [] });

    expect(end).toMatchObject({ committed: false, residue: [] });
    expect(world.snapshot()).toEqual(state);
    expect([...world.halfMade]).toEqual([]);
    expect(await Promise.all(servers.map(async (name) => engine.registered(name)))).toEqual(registered);
    const done = world.effects.slice(0, world.effects.length / 2);
    const inverse = { "+": "-", "-": "+", "~": "~" } as Record<string, string>;
    expect(world.effects.slice(done.length)).toEqual(
      done.toReversed().map((line) => line.replace(/ [-+~] /, (sign) => ` ${inverse[sign.trim()]} `)),
    );
  }

  test("after a failure before any effect, or after an effect that was not learnt of", async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, fc.nat(12), fc.boolean(), async (before, after, at, learnt) => {
        let left = at;
        await failsAndIsUndone(before, after, (fail) => {
          const count = (): void => {
            if (left-- === 0) fail();
          };
          if (learnt) world.onEffect = count;
          else world.afterEffect = count;
        });
      }),
      { numRuns: 60 },
    );
  });

  test("after a commit that was refused", async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, async (before, after) => {
        await failsAndIsUndone(
          before,
          after,
          () => undefined,
          () => Promise.reject(new HostwrightError("HW_TASK_STATE", "cancelled")),
        );
      }),
      { numRuns: 20 },
    );
  });

  test("over operations too, the failing one included", async () => {
    const told: string[] = [];
    const operation = (name: string, fails: boolean): void =>
      engine.operation(name, {
        run: async () => {
          told.push(`run ${name}`);
          if (fails) throw new Error("half way");
        },
        undo: async () => void told.push(`undo ${name}`),
      });
    operation("copy", false);
    operation("import", true);
    operation("never", false);
    const end = await engine.carryOut(
      ensureStep("web1", [file("/a")]),
      runStep("web1", "copy"),
      ensureStep("web1", [file("/b")]),
      runStep("web1", "import"),
      runStep("web1", "never"),
    );
    expect(end).toMatchObject({ committed: false, residue: [], error: { message: "half way" } });
    expect(told).toEqual(["run copy", "run import", "undo import", "undo copy"]);
    expect(world.effects).toEqual(["web1 + file /a", "web1 + file /b", "web1 - file /b", "web1 - file /a"]);
  });

  test("what still runs of an operation is looked for by its attempt before it is undone", async () => {
    const told: [string, string][] = [];
    const step =
      (name: string) =>
      async (context: OperationContext): Promise<void> =>
        void told.push([name, context.attempt]);
    const run = async (context: OperationContext): Promise<never> => {
      await step("run")(context);
      throw new Error("half way");
    };
    const probe = async (context: OperationContext): Promise<ProbeResult> => {
      await step("probe")(context);
      return "partial";
    };
    engine.operation("copy", { run, probe, undo: step("undo") });
    await engine.carryOut(runStep("web1", "copy"));
    expect(told.map(([name]) => name)).toEqual(["run", "probe", "undo"]);
    expect(told[1]?.[1]).toBe(told[0]?.[1]);
  });
});

describe("what somebody else changed meanwhile", () => {
  test("between plan and run is left alone, and the plan is refused", async () => {
    await engine.carryOut(ensureStep("web1", [file("/a", "one"), file("/b", "one")]));
    const plan = await engine.plan(ensureStep("web1", [file("/a", "two"), file("/b", "two")]));
    world.states("web1").set("file /b", { value: "by hand" });
    const end = await engine.run(plan);
    expect(end).toMatchObject({
      committed: false,
      residue: [],
      error: { code: "HW_RESOURCE_CHANGED", data: { key: "/b" } },
    });
    expect(world.snapshot()).toEqual({ web1: { "file /a": "one", "file /b": "by hand" } });
  });

  test("before the undo is left alone and listed, and everything else is undone", async () => {
    await engine.carryOut(ensureStep("web1", [file("/a", "one")]));
    engine.operation("meddle", {
      run: async () => {
        world.states("web1").set("file /a", { value: "by hand" });
        throw new Error("no");
      },
    });
    const end = await engine.carryOut(ensureStep("web1", [file("/a", "two"), file("/b")]), runStep("web1", "meddle"));
    expect(end.committed).toBe(false);
    expect(end.residue).toEqual([
      { server: "web1", type: "file", key: "/a", reason: expect.stringContaining("somebody else") },
    ]);
    expect(world.snapshot()).toEqual({ web1: { "file /a": "by hand" } });
  });

  test("and what cannot be undone is listed alone, while the rest of its group is undone", async () => {
    world.onEffect = (_server, _type, key) => {
      if (key === "/b" && world.effects.includes("web1 + file /b")) throw new Error("read-only file system");
    };
    const end = await engine.carryOut(
      ensureStep("web1", [file("/a"), file("/b"), file("/c")]),
      runStep("web1", "fail"),
    );
    expect(end.residue).toEqual([{ server: "web1", type: "file", key: "/b", reason: "read-only file system" }]);
    expect(world.snapshot()).toEqual({ web1: { "file /b": "x" } });
    expect((await engine.registered("web1")).map(({ key }) => key)).toEqual(["/b"]);
  });

  test("an operation that cannot be undone is listed, and what came before it is undone", async () => {
    engine.operation("copy", { undo: () => Promise.reject(new Error("busy")) });
    const end = await engine.carryOut(
      ensureStep("web1", [file("/a")]),
      runStep("web1", "copy"),
      runStep("web1", "fail"),
    );
    expect(end.residue).toEqual([{ server: "web1", type: "run", key: "copy", reason: "busy" }]);
    expect(world.snapshot()).toEqual({ web1: {} });
  });
});

test("a thing that was adopted is given back by the undo: as it was, and nobody's", async () => {
  world.states("web1").set("file /a", { value: "theirs" });
  await engine.carryOut(ensureStep("web1", [file("/a", "ours")]), runStep("web1", "fail"));
  expect(world.snapshot()).toEqual({ web1: { "file /a": "theirs" } });
  expect(await engine.registered("web1")).toEqual([]);
});

test("an action whose outcome nobody can tell is left as it is and listed; all others are undone", async () => {
  const undone: string[] = [];
  engine.operation("lost", { probe: async () => "unknown", undo: async () => void undone.push("lost") });
  const end = await engine.carryOut(ensureStep("web1", [file("/a")]), runStep("web1", "lost"), runStep("web1", "fail"));
  expect(end).toMatchObject({
    committed: false,
    residue: [
      { server: "web1", type: "run", key: "lost", reason: expect.stringMatching(/could not be found out/) as string },
    ],
  });
  expect(undone).toEqual([]);
  expect(world.snapshot()).toEqual({ web1: {} });
});

test("a thing that others share is theirs alone again after the undo, although it was changed", async () => {
  const shared = (owner: string, value: string): Owned => ({ ...item("file", "/a", value), owner, shared: true });
  await engine.carryOut(ensureStep("web1", [shared("site/s2", "one")]));
  const before = await engine.registered("web1");
  const end = await engine.carryOut(ensureStep("web1", [shared("site/s1", "two")]), runStep("web1", "fail"));
  expect(end).toMatchObject({ committed: false, residue: [] });
  expect(await engine.registered("web1")).toEqual(before);
});

test("what somebody changes while it is being undone is left alone and listed", async () => {
  world.onEffect = (_server, _type, key) => {
    if (key === "/b" && world.effects.includes("web1 + file /b")) {
      world.onEffect = () => undefined;
      world.states("web1").set("file /a", { value: "by hand" });
      throw new Error("read-only file system");
    }
  };
  const end = await engine.carryOut(ensureStep("web1", [file("/a"), file("/b")]), runStep("web1", "fail"));
  expect(end.residue).toEqual([
    { server: "web1", type: "file", key: "/a", reason: expect.stringContaining("somebody else") },
  ]);
  expect(world.snapshot()).toEqual({ web1: { "file /a": "by hand" } });
});

test("an undo has its connections until it is done, and closes them then", async () => {
  const seen: string[] = [];
  const undo = async ({ target }: OperationContext): Promise<void> => {
    await target.connection(
      "database",
      async () => "open",
      async () => void seen.push("closed"),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    seen.push("undone");
  };
  engine.operation("connected", { undo });
  const end = await engine.carryOut(runStep("web1", "connected"), runStep("web1", "fail"));
  expect(end).toMatchObject({ committed: false, residue: [] });
  expect(seen).toEqual(["undone", "closed"]);
});

test("whatever runs of an interrupted undo is stopped before it is undone again", async () => {
  const probed: string[] = [];
  const undone: string[] = [];
  let dies = true;
  engine.operation("cut", {
    probe: async ({ attempt }) => {
      probed.push(attempt);
      return "partial";
    },
    undo: async ({ attempt }) => {
      undone.push(attempt);
      if (dies) throw new HostwrightError("HW_LEASE_LOST", "another worker has it");
    },
  });
  const plan = await engine.plan(runStep("web1", "cut"), runStep("web1", "fail"));
  await expect(engine.run(plan)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
  dies = false;
  await engine.run(plan);
  expect(probed).toContain(undone[0]);
  expect(undone).toHaveLength(2);
});
