import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { runStep } from "../../test/fake-engine.ts";
import { gate, openOwn, own, type OwnFacade } from "../../test/own-facade.ts";
import { ended } from "../../test/store-conformance/parts.ts";
import { provide } from "../di/provider.ts";
import type { Hostwright } from "../hostwright.ts";
import { PART } from "../parts.ts";
import { Worker } from "../engine/workers/worker.ts";
import type { HostwrightEvent, Listener } from "../engine/events.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServerRecord } from "../model/records.ts";

const draft = (server: ServerRecord) => ({ steps: [{ ...runStep("web1", "only"), server }] });
const FULL = new HostwrightError("HW_DISK_FULL", "events.db: disk is full. Nothing was written.", { retryable: true });

async function open(only = gate(), stateDir?: string): Promise<OwnFacade & { readonly only: typeof only }> {
  return { ...(await openOwn({ only: only.operation }, { draft, ...(stateDir && { stateDir }) })), only };
}

/** An instance on the same store, to whose worker another one is always quicker. */
async function late({ stateDir }: OwnFacade, meanwhile?: (task: string) => Promise<unknown>): Promise<Hostwright> {
  const worker = provide(PART.worker, (parts) =>
    Object.assign(new Worker(parts.get(PART.engine), parts.get(PART.events)), {
      work: async (task: string) => {
        await meanwhile?.(task);
        return null;
      },
    }),
  );
  return (await openOwn({ only: {} }, { draft, stateDir, provide: [worker] })).hw;
}

/** From now on no event can be stored, until the function that it gives is called. */
function breakEvents({ engine }: OwnFacade): () => void {
  const broken = vi.spyOn(engine.store.events, "append").mockRejectedValue(FULL);
  return () => broken.mockRestore();
}

function warnings(): string[] {
  const told: string[] = [];
  const hear = ({ message }: Error): void => void told.push(message);
  process.on("warning", hear);
  onTestFinished(() => void process.off("warning", hear));
  return told;
}

describe("run", () => {
  test.each([
    ["nobody listens", {}],
    ["somebody listens", { onEvent: () => undefined }],
  ])(
    "of a task that is removed meanwhile is told that it is gone, where %s",
    async (_who, options) => {
      const facade = await open();
      const db = new DatabaseSync(join(facade.stateDir, "store.db"));
      onTestFinished(() => db.close());
      const hw = await late(facade, async (task) => db.prepare("DELETE FROM tasks WHERE id = ?").run(task));
      await expect(hw.run(own("a"), options)).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
    },
    30_000,
  );

  test.each<[string, Listener]>([
    ["throws", () => fail()],
    ["rejects", async () => fail()],
  ])("goes on though onEvent %s, and the process lives", async (_how, onEvent) => {
    const told = warnings();
    const { hw, only } = await open();
    only.open();
    expect(await hw.run(own("a"), { onEvent })).toEqual({});
    await expect.poll(() => told).toContain("the panel's socket is closed");
  });

  test("with a signal stops its task also where another worker was quicker", async () => {
    const other = await open();
    const mine = await late(other);
    await using _working = other.hw.work();
    const stop = new AbortController();
    const running = mine.run(own("a"), { signal: stop.signal });
    await other.only.reached;
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "HW_CANCELLED", data: { state: "undone" } });
  });

  test("that another worker took over follows its task to the outcome, and tells its events", async () => {
    const mine = await open();
    const other = await open(gate(), mine.stateDir);
    other.only.open();
    const heard: string[] = [];
    const running = mine.hw.run(own("a"), { onEvent: ({ type }) => void heard.push(type) });
    await mine.only.reached;
    // As for a process that was stopped for longer than its lease.
    const { leases } = other.engine.store;
    for (const { task } of await leases.list()) await leases.release(task);
    mine.only.open();
    await using _working = other.hw.work();
    expect(await running).toEqual({});
    expect(heard).toEqual(expect.arrayContaining(["task:started", "task:recovered", "task:finished"]));
  });

  test("tells all that happened also of a task that another worker has ended by then", async () => {
    const other = await open();
    const mine = await late(other, async (task) => other.hw.task(task).outcome());
    other.only.open();
    await using _working = other.hw.work();
    const heard: string[] = [];
    expect(await mine.run(own("a"), { onEvent: ({ type }) => void heard.push(type) })).toEqual({});
    expect([heard.at(-1), heard.filter((type) => type === "action:started")]).toEqual([
      "task:finished",
      ["action:started"],
    ]);
  });

  test("and outcome end by the state in the store, when no event can be stored", async () => {
    const told = warnings();
    const facade = await open();
    const { hw, only } = facade;
    const repair = breakEvents(facade);
    only.open();
    const running = hw.run(own("a"));
    const submitted = await hw.submit(own("b"));
    expect((await hw.tasks.list()).tasks).toHaveLength(2);
    const waiting = submitted.outcome();
    expect(await running).toEqual({});
    await hw.run(own("c"));
    await using _working = hw.work();
    expect(await waiting).toMatchObject({ state: "succeeded" });
    expect(told.filter((one) => one.includes("cannot be stored now"))).toHaveLength(1);
    repair();
    const types = async (): Promise<string[]> => {
      const page: readonly { type: string }[] = await facade.engine.store.events.after(0, { task: submitted.id });
      return page.map(({ type }) => type);
    };
    await expect.poll(types).toContain("task:finished");
    expect((await types())[0]).toBe("task:submitted");
  });
});

describe("who waits", () => {
  test("for an outcome gets it though the worker died before it told anybody", async () => {
    const { hw, engine } = await open();
    const { id } = await hw.submit(own("a"));
    const waiting = hw.task(id).outcome();
    const events = hw.task(id).events();
    const outcome = { state: "undone", value: {}, error: { code: "HW_CANCELLED", message: "so" }, residue: [] };
    await ended(engine.store, id, "queued", "undone", outcome);
    expect(await waiting).toMatchObject({ ...outcome, value: null });
    const seen: string[] = [];
    for await (const { type } of events) seen.push(type);
    expect(seen).toEqual(["task:submitted"]);
  });

  test("for a task that is removed meanwhile is told that it is gone", async () => {
    const { hw, stateDir } = await open();
    const { id } = await hw.submit(own("a"));
    const waiting = hw.task(id).outcome();
    const following = seenOf(hw.task(id).events());
    // Both have seen that it is there.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const db = new DatabaseSync(join(stateDir, "store.db"));
    db.prepare("DELETE FROM tasks WHERE id = ?").run(id);
    db.close();
    // Nobody tells of it: what wakes everybody now and then finds it out.
    await expect(waiting).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
    expect(await following).toEqual(["task:submitted"]);
  });

  test("costs nothing while other tasks go on: hundreds are woken by their own alone", async () => {
    const { hw, engine } = await open();
    const ids = await Promise.all(Array.from({ length: 300 }, async (_, n) => (await hw.submit(own(`w${n}`))).id));
    const outcomes = ids.map(async (id) => hw.task(id).outcome());
    const following = ids.slice(0, 50).map(async (id) => seenOf(hw.task(id).events()));
    const state = vi.spyOn(engine.store.tasks, "state");
    const after = vi.spyOn(engine.store.events, "after");
    // Each has looked, and once more since looks began.
    await expect
      .poll(() => [state.mock.calls.length, after.mock.calls.length])
      .toSatisfy(([states = 0, reads = 0]) => states >= 300 && reads >= 50);
    await hw.submit(own("settled"));
    state.mockClear();
    after.mockClear();
    const others = await Promise.all(Array.from({ length: 100 }, async (_, n) => hw.submit(own(`o${n}`))));
    for (const other of others) await other.cancel();
    const reads = state.mock.calls.length + after.mock.calls.length;
    expect(reads).toBeLessThan(700);
    for (const id of ids) await hw.task(id).cancel();
    expect(new Set((await Promise.all(outcomes)).map((one) => one.state))).toEqual(new Set(["undone"]));
    expect(await Promise.all(following)).toEqual(following.map(() => ["task:submitted", "task:finished"]));
  });
});

async function seenOf(events: AsyncGenerator<HostwrightEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { type } of events) seen.push(type);
  return seen;
}

function fail(): never {
  throw new Error("the panel's socket is closed");
}
