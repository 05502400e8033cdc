import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeEngine, ensureStep, runStep } from "../../../test/fake-engine.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import type { JournalStore } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { Text } from "../../model/text.ts";
import type { RunEnd } from "./runner.ts";
import type { Owned } from "../../contracts/steps.ts";

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

/** The journal's rows and the world's effects as one list, in the order in which they became true. */
function recorded(): JournalStore {
  const { journal } = engine.store;
  const write: JournalStore["write"] = async (rows, ...rest) => {
    await journal.write(rows, ...rest);
    world.effects.push(...rows.map((row) => `journal: ${row.phase} ${row.action} ${row.state}`));
  };
  return Object.assign(Object.create(journal) as JournalStore, { write, read: journal.read.bind(journal) });
}

describe("the journal", () => {
  test("has the intent before each effect, and an outcome together with the next intent, both ways", async () => {
    const writes: number[] = [];
    const journal = recorded();
    const { write } = journal;
    journal.write = async (rows, ...rest) => {
      writes.push(rows.length);
      await write(rows, ...rest);
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
    journal.write = async (rows, ...rest) => {
      if (rows.some((row) => row.action === 1)) throw new HostwrightError("HW_STORE_BUSY", "busy");
      await write(rows, ...rest);
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
    journal.write = async (rows, ...rest) => {
      if (rows.some((row) => row.phase === "undo")) throw new HostwrightError("HW_STORE_BUSY", "busy");
      await write(rows, ...rest);
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

describe("a clean-up after the commit", () => {
  const cleanUp = { phase: "clean-up" } as const;

  test("that fails for a passing reason is tried again, after its first attempt was looked for", async () => {
    const attempts: string[] = [];
    engine.operation("drop", {
      run: async ({ attempt }) => {
        attempts.push(`run ${attempt}`);
        if (attempts.length === 1) throw new HostwrightError("HW_SSH_LOST", "lost", { retryable: true });
      },
      probe: async ({ attempt }) => {
        attempts.push(`probe ${attempt}`);
        return "partial";
      },
    });
    const plan = await engine.plan(ensureStep("web1", [file("/a")]), runStep("web1", "drop", cleanUp));
    expect(await engine.run(plan)).toEqual({ committed: true, error: null, residue: [] });
    expect(attempts.map((line) => line.split(" ")[0])).toEqual(["run", "probe", "run"]);
    expect(attempts[1]).toBe(attempts[0]?.replace("run", "probe"));
  });

  test("that was stopped in the middle of a change leaves nothing beside it when it is done at last", async () => {
    await engine.carryOut(ensureStep("web1", [file("/a"), file("/b")]));
    const plan = await engine.plan(ensureStep("web1", [], { remove, ...cleanUp }));
    let stopped = false;
    world.afterEffect = (server, type, key) => {
      if (stopped) return;
      stopped = true;
      world.halfMade.add(`${server} ${type} ${key}`);
      throw new HostwrightError("HW_SSH_LOST", "lost", { retryable: true });
    };
    expect(await engine.run(plan)).toMatchObject({ committed: true, residue: [] });
    expect(world.snapshot()).toEqual({ web1: {} });
    expect([...world.halfMade]).toEqual([]);
  });

  test("that fails for good is listed, and those after it are done", async () => {
    const plan = await engine.plan(
      ensureStep("web1", [file("/a")]),
      runStep("web1", "fail", cleanUp),
      ensureStep("web1", [file("/b")], cleanUp),
    );
    const end = await engine.run(plan);
    expect(end).toMatchObject({ committed: true, residue: [{ server: "web1", key: "fail", reason: "no answer" }] });
    expect(world.snapshot()).toEqual({ web1: { "file /a": "x", "file /b": "x" } });
  });
});

test("what an operation says is told in bounds, without control characters", async () => {
  engine.operation("chatty", {
    run: async ({ log }) => {
      log(`\u001b[31m${"x".repeat(1_000_000)}\u0007`);
      return null;
    },
  });
  await engine.carryOut(runStep("web1", "chatty"));
  await engine.events.flush();
  const said = (await engine.store.events.after(0)).filter(({ type }) => type === "task:log");
  expect(said.map(({ payload }) => (payload as { line: string }).line)).toEqual([
    expect.stringMatching(/^\.\.\. x{4000}$/),
  ]);
});
