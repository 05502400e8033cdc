import fc from "fast-check";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeEngine, ensureStep, runStep } from "../../test/fake-engine.ts";
import { FakeWorld } from "../../test/fake-world.ts";
import type { OperationContext, ProbeResult } from "../contracts/operation.ts";
import type { JournalStore } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Text } from "../model/text.ts";
import type { RunEnd } from "./runner.ts";
import type { EnsureStep, Owned } from "./steps.ts";

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
const remove = (): boolean => true;

/** The journal's rows and the world's effects as one list, in the order in which they became true. */
function recorded(): JournalStore {
  const { journal } = engine.store;
  const write: JournalStore["write"] = async (rows, holder) => {
    await journal.write(rows, holder);
    world.effects.push(...rows.map((row) => `journal: ${row.phase} ${row.action} ${row.state}`));
  };
  return Object.assign(Object.create(journal) as JournalStore, { write, read: journal.read.bind(journal) });
}

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
  }, 60_000);

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
  }, 60_000);

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

describe("the journal", () => {
  test("has the intent before each effect, and an outcome together with the next intent, both ways", async () => {
    const writes: number[] = [];
    const journal = recorded();
    const { write } = journal;
    journal.write = async (rows, holder) => {
      writes.push(rows.length);
      await write(rows, holder);
    };
    const plan = await engine.plan(
      ensureStep("web1", [file("/a")]),
      ensureStep("db1", [file("/b")]),
      runStep("web1", "fail"),
    );
    await engine.run(plan, { journal });
    expect(world.effects).toEqual([
      "journal: do 0 begun",
      "web1 + file /a",
      "journal: do 0 done",
      "journal: do 1 begun",
      "db1 + file /b",
      "journal: do 1 done",
      "journal: do 2 begun",
      "journal: undo 2 begun",
      "journal: undo 2 done",
      "journal: undo 1 begun",
      "db1 - file /b",
      "journal: undo 1 done",
      "journal: undo 0 begun",
      "web1 - file /a",
      "journal: undo 0 done",
    ]);
    expect(writes).toEqual([1, 2, 2, 1, 2, 2, 1]);
  });

  test("that cannot be written lets no effect happen", async () => {
    const journal = recorded();
    const { write } = journal;
    journal.write = async (rows, holder) => {
      if (rows.some((row) => row.action === 1)) throw new HostwrightError("HW_STORE_BUSY", "busy");
      await write(rows, holder);
    };
    const plan = await engine.plan(ensureStep("web1", [file("/a")]), ensureStep("web1", [file("/b")]));
    const end = await engine.run(plan, { journal });
    expect(end).toMatchObject({ committed: false, error: { code: "HW_STORE_BUSY" } });
    expect(world.effects).not.toContain("web1 + file /b");
    expect(world.snapshot()).toEqual({ web1: {} });
  });

  test("that fails during the undo never makes an undone task of one that is not", async () => {
    const journal = recorded();
    const { write } = journal;
    journal.write = async (rows, holder) => {
      if (rows.some((row) => row.phase === "undo")) throw new HostwrightError("HW_STORE_BUSY", "busy");
      await write(rows, holder);
    };
    const plan = await engine.plan(ensureStep("web1", [file("/a")]), runStep("web1", "fail"));
    const end = await engine.run(plan, { journal });
    expect(end).toMatchObject({ committed: false, error: { code: "HW_PROBE_FAILED" } });
    expect(end.residue).toEqual([
      { server: "web1", type: "run", key: "fail", reason: "busy" },
      { server: "web1", type: "file", key: "/a", reason: "busy" },
    ]);
  });

  test("of a worker whose lease is lost stops it: nothing more is done or undone", async () => {
    const plan = await engine.plan(
      ensureStep("web1", [file("/a")]),
      runStep("web1", "lose"),
      ensureStep("web1", [file("/b")]),
    );
    engine.operation("lose", { run: async () => engine.store.leases.release(plan.task) });
    await expect(engine.run(plan)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
    expect(world.effects).toEqual(["web1 + file /a"]);
  });
});

describe("after the commit row", () => {
  const cleanUp = { phase: "clean-up" } as const;

  test("what fails is listed, what follows is done, and nothing is undone", async () => {
    engine.operation("purge", {});
    const end = await engine.carryOut(
      ensureStep("web1", [file("/a")]),
      runStep("web1", "fail", cleanUp),
      ensureStep("web1", [file("/b")], cleanUp),
    );
    expect(end).toMatchObject({ committed: true, error: null });
    expect(end.residue).toEqual([{ server: "web1", type: "run", key: "fail", reason: "no answer" }]);
    expect(world.snapshot()).toEqual({ web1: { "file /a": "x", "file /b": "x" } });
  });

  test("a cancel stops nothing", async () => {
    const cancel = new AbortController();
    const plan = await engine.plan(ensureStep("web1", [file("/a")]), ensureStep("web1", [file("/b")], cleanUp));
    const end = await engine.run(plan, { signal: cancel.signal, commit: async () => cancel.abort() });
    expect(end).toMatchObject({ committed: true, residue: [] });
    expect(world.snapshot()).toEqual({ web1: { "file /a": "x", "file /b": "x" } });
  });
});

describe("a cancel", () => {
  async function cancelledAfter(effects: number): Promise<RunEnd> {
    const cancel = new AbortController();
    world.afterEffect = () => {
      if (world.effects.length === effects) cancel.abort();
    };
    const plan = await engine.plan(ensureStep("web1", [file("/a"), file("/b")]), ensureStep("web1", [file("/c")]));
    return engine.run(plan, { signal: cancel.signal });
  }

  test("stops within an action, and the undo goes to its end all the same", async () => {
    expect(await cancelledAfter(1)).toMatchObject({ committed: false, residue: [] });
    expect(world.effects).toEqual(["web1 + file /a", "web1 - file /a"]);
  });

  test("stops between actions, with its code", async () => {
    expect(await cancelledAfter(2)).toMatchObject({ committed: false, residue: [], error: { code: "HW_CANCELLED" } });
    expect(world.effects).not.toContain("web1 + file /c");
    expect(world.snapshot()).toEqual({ web1: {} });
  });
});

test("nothing but references reaches journal, register and events, whatever happens", async () => {
  engine.secrets.set("s/password", "hush-hush");
  const content = { parts: ["password=", { ref: "secret", id: "s/password", label: "db password" } as const] };
  await engine.carryOut(ensureStep("web1", [file("/a", content)]));
  engine.secrets.set("s/password", "other-hush");
  await engine.carryOut(ensureStep("web1", [file("/a", content)]), runStep("web1", "fail"));
  await engine.carryOut(ensureStep("web1", [], { remove }), runStep("web1", "fail"));
  const tasks = (await engine.store.tasks.list()).map(({ id }) => id);
  const journal = await Promise.all(tasks.map(async (id) => engine.store.journal.read(id)));
  expect(journal.flat().filter((row) => row.undo !== null).length).toBeGreaterThan(1);
  const written = JSON.stringify([journal, await engine.store.events.after(0), await engine.registered("web1")]);
  expect(written).not.toContain("hush");
  expect(world.snapshot()).toEqual({ web1: { "file /a": "password=hush-hush" } });
});

test("events tell every action's start, end, failure and undo, in order", async () => {
  await engine.carryOut(ensureStep("web1", [file("/a")]), runStep("web1", "fail"));
  const events = await engine.store.events.after(0);
  expect(events.map(({ type, payload }) => `${type} ${(payload as { action: number }).action}`)).toEqual([
    "action:started 0",
    "action:finished 0",
    "action:started 1",
    "action:failed 1",
    "action:undone 1",
    "action:undone 0",
  ]);
  expect(events[3]?.payload).toMatchObject({ code: "HW_PROBE_FAILED", message: "no answer", server: "web1" });
});
