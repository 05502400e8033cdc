import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { runStep } from "../../../test/fake-engine.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { JournalStore } from "../../contracts/store.ts";
import { changedStore } from "../../../test/changed-store.ts";
import { sealPlan } from "../planning/seal-plan.ts";
import { planRequest } from "../planning/task-engine.ts";
import { memoryStore } from "../../../test/memory-store/memory-store.ts";
import { Worker } from "./worker.ts";
import { FakeWorker, file, NEVER, request } from "../../../test/fake-worker.ts";

const GONE = "1:1:00000000-0000-0000-0000-000000000000:1";

let fake: FakeWorker;

beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

/** A task that somebody claimed who is no more: it runs, and nobody answers for it. */
async function orphan(name: string): Promise<string> {
  const { id } = await fake.submit(name);
  await fake.engine.store.tasks.move(id, ["queued"], "running");
  return id;
}

const leases = async (): Promise<readonly string[]> =>
  (await fake.engine.store.leases.list()).map(({ scope }) => scope);

describe("a task whose worker died", () => {
  test("is gone on with, and told", async () => {
    const id = await orphan("a");
    await fake.worker.recoverAll(NEVER);
    expect(await fake.task(id).outcome()).toMatchObject({ state: "succeeded" });
    expect((await fake.engine.store.events.after(0)).map(({ type }) => type)).toContain("task:recovered");
    expect(await leases()).toEqual([]);
  });

  test("is handed over, and no part of it done twice, when whoever recovers it is stopped meanwhile", async () => {
    const gate = fake.gate("gate");
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "gate")] });
    const id = await orphan("a");
    const stop = new AbortController();
    const recovering = fake.worker.recoverAll(stop.signal);
    await gate.reached;
    stop.abort();
    gate.open();
    await recovering;
    expect(await fake.engine.store.tasks.state(id)).toBe("running");
    await fake.another().recoverAll(NEVER);
    expect(fake.world.effects).toEqual(["web1 + file /a"]);
    expect(await fake.task(id).outcome()).toMatchObject({ state: "succeeded" });
  });

  test("is taken back when it was being cancelled", async () => {
    const id = await orphan("a");
    await fake.engine.store.tasks.move(id, ["running"], "cancelling");
    await fake.worker.recoverAll(NEVER);
    expect(await fake.task(id).outcome()).toMatchObject({ state: "undone" });
    expect(fake.world.effects).toEqual([]);
  });
});

describe("tasks whose workers died", () => {
  test("are recovered each on its own: one that takes long, or fails, keeps no other waiting", async () => {
    const gate = fake.gate("slow");
    fake.drafts.set("slow", { about: [], steps: [runStep("web1", "slow")] });
    fake.drafts.set("quick", { about: ["site/s2"], steps: [file("/quick")] });
    const slow = await orphan("slow");
    const broken = await orphan("broken");
    await fake.engine.store.tasks.move(broken, ["running"], "running", { plan: "nobody can read this" });
    const quick = await orphan("quick");
    await fake.worker.lookForDead(NEVER);
    await gate.reached;
    expect(await fake.task(quick).outcome()).toMatchObject({ state: "succeeded" });
    expect(await fake.task(broken).outcome()).toMatchObject({ error: { code: "HW_PLAN_FORGED" } });
    expect(await fake.engine.store.tasks.state(slow)).toBe("running");
    gate.open();
    expect(await fake.task(slow).outcome()).toMatchObject({ state: "succeeded" });
    await fake.worker.settled();
  });

  test("end with the reason that they were stopped for: a cancel, or what failed", async () => {
    fake.engine.operation("stop", { undo: () => Promise.reject(new HostwrightError("HW_LEASE_LOST", "dead")) });
    fake.drafts.set("failed", { about: [], steps: [runStep("web1", "stop"), runStep("web1", "fail")] });
    const failed = await fake.submit("failed");
    await expect(fake.worker.work(failed.id, NEVER)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
    const cancelled = await orphan("a");
    await fake.engine.store.tasks.move(cancelled, ["running"], "cancelling");
    fake.engine.operation("stop", {});
    await fake.worker.recoverAll(NEVER);
    expect(await fake.task(failed.id).outcome()).toMatchObject({ state: "undone", error: { code: "HW_PROBE_FAILED" } });
    expect(await fake.task(cancelled).outcome()).toMatchObject({ state: "undone", error: { code: "HW_CANCELLED" } });
  });

  test("leave no name taken when they died before their first journal row, however late that is found", async () => {
    const site = { kind: "site", id: "s1", name: "a.test", value: { id: "s1", status: "installing" } } as const;
    const [reserved, never] = [Promise.withResolvers<void>(), new Promise<void>(() => undefined)];
    fake.drafts.set("x", {
      steps: [file("/x"), runStep("web1", "fail")],
      reserve: [{ ...site, expect: 0, claims: ["a.test"] }],
      release: [{ kind: "site", id: "s1" }],
      eraseOnUndo: ["site/s1/"],
    });
    const { store } = fake.engine;
    await store.secrets.add("site/s1/db-password", "sealed");
    const dying = changedStore(store, ({ journal }) => {
      const write = async (): Promise<void> => {
        reserved.resolve();
        return never;
      };
      return { journal: { ...delegate(journal), write } };
    });
    const parts = { ...fake.parts, planLifeMs: 1 };
    const task = await fake.submit("x");
    void new Worker({ ...parts, store: dying }, fake.engine.events, GONE).work(task.id, NEVER);
    await reserved.promise;
    expect(await store.records.claimedBy("site", "a.test")).toBe("s1");
    const outcome = await new Worker(parts, fake.engine.events).recover(task.id);
    expect(outcome).toMatchObject({ state: "undone", residue: [], error: { code: "HW_PROBE_FAILED" } });
    expect(await store.records.claimedBy("site", "a.test")).toBeNull();
    expect((await store.secrets.get(["site/s1/db-password"])).size).toBe(0);
  });
});

test("who waits for a dead worker's task outlives its failed recovery, and is done once another one succeeds", async () => {
  const { leases: store, tasks } = fake.engine.store;
  const scopes = [{ scope: "site/s1", mode: "exclusive" }] as const;
  for (const name of ["rival", "waiter"]) fake.wants.set(name, { subject: "site/s1", scopes });
  const recover = vi.fn<() => Promise<unknown>>(async () => null);
  recover.mockRejectedValueOnce(new HostwrightError("HW_LEASE_LOST", "the recovery itself was stopped"));
  fake.engine.operation("recover", { run: recover, probe: async () => "absent" });
  fake.drafts.set("rival", { steps: [runStep("web1", "recover")] });
  const [rival, waiter] = [await fake.submit("rival"), await fake.submit("waiter")];
  expect(await store.claim(rival.id, GONE)).toHaveProperty("granted");
  const working = fake.worker.work(waiter.id, NEVER);
  // An error in its own frame would end it here.
  working.catch(() => undefined);
  await expect.poll(() => recover.mock.results.length, { interval: 5 }).toBe(1);
  await Promise.race([working, fake.worker.settled()]);
  expect([await tasks.state(rival.id), await tasks.state(waiter.id)]).toEqual(["running", "queued"]);
  await fake.worker.lookForDead(NEVER);
  expect(await working).toMatchObject({ state: "succeeded", error: null });
  expect(await fake.task(rival.id).outcome()).toMatchObject({ state: "succeeded" });
});

test("a cancel in the very moment before the commit is told as a cancel", async () => {
  const { store } = fake.engine;
  const late = changedStore(store, ({ journal, tasks }) => {
    const commit: typeof journal.commit = async (...args) => {
      await tasks.move(args[0], ["running"], "cancelling");
      return journal.commit(...args);
    };
    return { journal: { ...delegate(journal), commit } };
  });
  const task = await fake.submit("a");
  const outcome = await new Worker({ ...fake.parts, store: late }, fake.engine.events).work(task.id, NEVER);
  expect(outcome).toMatchObject({ state: "undone", residue: [], error: { code: "HW_CANCELLED" } });
});

test("the end of each of 200 tasks is told once, however many look for the dead meanwhile", async () => {
  // In memory, where each call takes a turn of the event loop: many looks fall between an outcome and its telling.
  const store = memoryStore();
  const { events, leases, tasks } = store;
  const slow = { events: inTurns(events), leases: inTurns(leases), tasks: inTurns(tasks) };
  await using fake = await FakeWorker.open({ ...store, ...slow });
  const lookers = Array.from({ length: 2 }, () => fake.another());
  const over = new AbortController();
  const looking = lookers.map(async (one) => {
    while (!over.signal.aborted) {
      await one.lookForDead(over.signal);
      await nextTurn();
    }
  });
  const ids: string[] = [];
  for (let n = 0; n < 200; n++) {
    const { id } = await fake.submit(`n${n}`);
    ids.push(id);
    await fake.worker.work(id, NEVER);
  }
  over.abort();
  await Promise.all(looking);
  await Promise.all(lookers.map(async (one) => one.settled()));
  const told = await events.after(0, { limit: 10_000 });
  const finished = told.filter(({ type }) => type === "task:finished");
  expect(finished.map(({ task }) => task)).toEqual(ids);
});

/** A part of a store each of whose calls begins a turn of the event loop later. */
function inTurns<Part extends object>(part: Part): Part {
  const get = (target: Part, name: keyof Part): unknown => {
    const call = target[name];
    if (typeof call !== "function") return call;
    return async (...given: readonly unknown[]) => {
      await nextTurn();
      return Reflect.apply(call, target, given) as unknown;
    };
  };
  return new Proxy(part, { get: (target, name) => get(target, name as keyof Part) });
}

/** The methods of a journal, to be spread. */
function delegate(journal: JournalStore): JournalStore {
  return {
    write: async (...args) => journal.write(...args),
    read: async (task) => journal.read(task),
    commit: async (...args) => journal.commit(...args),
    isCommitted: async (task) => journal.isCommitted(task),
  };
}

test("a task that is finished already leaves no lease behind when a late worker comes for it", async () => {
  const task = await fake.submit("a");
  await task.cancel();
  expect(await fake.worker.work(task.id, NEVER)).toBeNull();
  expect(await leases()).toEqual([]);
});

test("a task whose worker died right after its outcome is told as finished and leaves no lease", async () => {
  const { id } = await fake.submit("a");
  const { leases: store, tasks, events } = fake.engine.store;
  const scopes = [`task/${id}`, "site/s1"].map((scope) => ({ scope, mode: "exclusive" }) as const);
  await tasks.move(id, ["queued"], "running");
  await store.acquire(id, "1:1:00000000-0000-0000-0000-000000000000:1", scopes);
  const outcome = { state: "undone", value: {}, error: null, residue: [] };
  await tasks.move(id, ["running"], "undone", { outcome });
  await fake.worker.recoverAll(NEVER);
  expect(await leases()).toEqual([]);
  expect((await events.after(0)).map(({ type }) => type)).toContain("task:finished");
});

test("a task that needs attention keeps its site when its worker died right after its outcome", async () => {
  const { id } = await fake.submit("a");
  const { leases: store, tasks } = fake.engine.store;
  const scopes = [`task/${id}`, "site/s1"].map((scope) => ({ scope, mode: "exclusive" }) as const);
  await tasks.move(id, ["queued"], "running");
  await store.acquire(id, "1:1:00000000-0000-0000-0000-000000000000:1", scopes);
  const outcome = { state: "needs-attention", value: {}, error: null, residue: [] };
  await tasks.move(id, ["running"], "needs-attention", { outcome });
  await fake.worker.recoverAll(NEVER);
  expect(await leases()).toEqual(["site/s1"]);
});

test("a task that its worker put back and took again is worked once, although the first try is not over yet", async () => {
  const [former, again] = [fake.gate("former"), fake.gate("again")];
  fake.drafts.set("former", { steps: [runStep("web1", "former")] });
  fake.drafts.set("again", { steps: [runStep("web1", "again"), file("/again")] });
  const first = await fake.submit("former");
  const holding = fake.worker.work(first.id, NEVER);
  await former.reached;
  const { id } = await fake.submit("again");
  // It tells that it waits, and that takes long.
  const [tells, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const emit = fake.engine.events.emit.bind(fake.engine.events);
  vi.spyOn(fake.engine.events, "emit").mockImplementation(async (...given) => {
    if (given[1] === "task:waiting") {
      tells.resolve();
      await told.promise;
    }
    return emit(...given);
  });
  expect(await fake.worker.takeNext()).toBe(id);
  const before = fake.worker.carryOut(id, NEVER);
  await tells.promise;
  former.open();
  await holding;
  expect(await fake.worker.takeNext()).toBe(id);
  const working = fake.worker.carryOut(id, NEVER);
  await again.reached;
  told.resolve();
  expect(await before).toBeNull();
  await fake.worker.lookForDead(NEVER);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const recovered = (await fake.engine.store.events.after(0)).filter(({ type }) => type === "task:recovered");
  expect(recovered).toEqual([]);
  again.open();
  expect(await working).toMatchObject({ state: "succeeded" });
});

test("a task that is committed with nothing begun is never put back into the line, where it could be cancelled", async () => {
  const { journal, tasks } = fake.engine.store;
  fake.drafts.set("a", { steps: [] });
  const { id } = await fake.submit("a");
  expect(await fake.engine.store.leases.claim(id, GONE)).toHaveProperty("granted");
  const plan = await planRequest(fake.parts, request("a"), id, NEVER);
  await tasks.move(id, ["running"], "running", { plan: await sealPlan(fake.parts.box, plan) });
  await journal.commit(id, "2026", { put: [], deleteRecords: [], register: { put: [], remove: [] } });
  await fake.worker.recover(id, { closing: AbortSignal.abort() }).catch(() => null);
  expect(await tasks.state(id)).not.toBe("queued");
  await fake.worker.recover(id);
  expect(await tasks.state(id)).toBe("succeeded");
});
