import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { changedStore } from "../../../test/changed-store.ts";
import { ensureStep, runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, NEVER, request, working } from "../../../test/fake-worker.ts";
import { memoryStore } from "../../../test/memory-store/memory-store.ts";
import type { Task } from "../../api/task.ts";
import type { ListedTask, StateStore } from "../../contracts/store.ts";
import type { TaskChildren } from "../../contracts/task.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { childId } from "../../model/ids.ts";
import { newHolder } from "../../store/holder.ts";
import { raiseEpoch } from "./raise-epoch.ts";
import { Worker } from "./worker.ts";

const GONE = "1:1:00000000-0000-0000-0000-000000000000:1";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

const child = (name: string, change: object): void => void fake.drafts.set(name, { about: [], ...change });

/** A task with children of these names; each makes a file of its name, on a site of its own, unless the test drafts it. */
async function parent(names: readonly string[], how: Omit<TaskChildren, "requests"> = {}): Promise<Task> {
  for (const name of names) {
    const made = ensureStep("web1", [{ type: "file", spec: { key: `/${name}`, value: "x" }, owner: `site/${name}` }]);
    if (!fake.drafts.has(name)) child(name, { about: [`site/${name}`], steps: [made] });
  }
  child("parent", { steps: [], children: { requests: names.map(request), ...how } });
  return fake.submit("parent");
}

const childrenOf = async ({ id }: Task): Promise<readonly ListedTask[]> => fake.engine.store.tasks.list({ parent: id });
const stateOf = async (task: Task): Promise<string | null> => fake.engine.store.tasks.state(task.id);
const leases = async (): Promise<readonly unknown[]> => fake.engine.store.leases.list();

/** A store for a worker that dies before or after one of its writes: from the n-th such moment on it knows nothing. */
function mortal(store: StateStore, at: number): { readonly store: StateStore; died(): boolean } {
  let moments = 0;
  const moment = (isWrite: boolean): void => {
    if (isWrite) moments++;
    if (moments >= at) throw new HostwrightError("HW_LEASE_LOST", "dead");
  };
  const around = <Part extends object>(part: Part, names: readonly (keyof Part)[]): Part =>
    new Proxy(part, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== "function") return call;
        const isWrite = names.includes(name as keyof Part);
        return async (...given: readonly unknown[]): Promise<unknown> => {
          moment(isWrite);
          const result: unknown = await Reflect.apply(call, target, given);
          moment(isWrite);
          return result;
        };
      },
    });
  const changed = changedStore(store, ({ tasks, journal }) => ({
    tasks: around(tasks, ["submit", "move", "end"]),
    journal: around(journal, ["write", "commit"]),
  }));
  const dying = { ...changed, leases: around(store.leases, ["claim", "release", "handOver"]) };
  return { store: dying, died: () => moments >= at };
}

describe("a task with children", () => {
  test("holds nothing but itself while they are worked, and leaves no lease", async () => {
    const gate = fake.gate("slow");
    child("a", { about: ["site/a"], steps: [runStep("web1", "slow")] });
    const task = await parent(["a", "b"]);
    const working = fake.worker.work(task.id, NEVER);
    await gate.reached;
    const held = (await fake.engine.store.leases.list()).filter((lease) => lease.task === task.id);
    expect(held.map(({ scope }) => scope)).toEqual([`task/${task.id}`]);
    gate.open();
    expect(await working).toMatchObject({ state: "succeeded", value: { total: 2, succeeded: 2 } });
    expect(await leases()).toEqual([]);
  });

  test("whose worker dies at any write goes on with another: no child is lost, and none is done twice", async () => {
    const names = ["a", "b"];
    let deaths = 0;
    for (let at = 1, died = true; died; at++) {
      await using own = await FakeWorker.open(memoryStore());
      fake = own;
      const task = await parent(names, { concurrency: 2 });
      const dying = mortal(own.engine.store, at);
      const worker = new Worker({ ...own.parts, store: dying.store }, own.engine.events, GONE);
      await worker.work(task.id, NEVER).catch(() => null);
      died = dying.died();
      if (died) deaths++;
      const next = own.another();
      while (!["succeeded", "undone", "needs-attention"].includes((await stateOf(task)) ?? "")) {
        if ((await stateOf(task)) === "queued") await next.work(task.id, NEVER);
        await next.recoverAll(NEVER);
      }
      await next.recoverAll(NEVER);
      const where = `died at ${at}`;
      expect([where, await stateOf(task)]).toEqual([where, "succeeded"]);
      expect([where, own.world.effects.toSorted()]).toEqual([where, names.map((name) => `web1 + file /${name}`)]);
      const ids = (await childrenOf(task)).map(({ id, state }) => `${id} ${state}`);
      expect([where, ids]).toEqual([where, names.map((_, place) => `${childId(task.id, place)} succeeded`)]);
      expect([where, await leases()]).toEqual([where, []]);
      const told = (await own.engine.store.events.after(0, { task: task.id })).filter(
        ({ type }) => type === "child:submitted",
      );
      const places = new Set(told.map(({ payload }) => (payload as { child: number }).child));
      expect([where, places]).toEqual([where, new Set(names.keys())]);
    }
    expect(deaths).toBeGreaterThan(30);
  }, 120_000);

  test("is handed over when its worker closes, with the child that runs", async () => {
    const gate = fake.gate("slow");
    child("b", { steps: [runStep("web1", "slow")] });
    const task = await parent(["a", "b", "c"], { concurrency: 1 });
    const queue = working(fake.worker, 1);
    await gate.reached;
    const closing = queue[Symbol.asyncDispose]();
    gate.open();
    await closing;
    expect(await stateOf(task)).toBe("running");
    expect((await childrenOf(task)).map(({ state }) => state)).toEqual(["succeeded", "running"]);
    await using _next = working(fake.another(), 1);
    expect(await task.outcome()).toMatchObject({ state: "succeeded", value: { succeeded: 3 } });
    expect(fake.world.effects).toEqual(["web1 + file /a", "web1 + file /c"]);
  });

  test("of which nine are recovered at once keeps no other dead task waiting", async () => {
    const gate = fake.gate("slow");
    const { store } = fake.engine;
    child("slow", { steps: [runStep("web1", "slow")] });
    fake.wants.set("slow", { subject: "slow", scopes: [] });
    // One worker that lives has the children, so that their parents can only wait.
    const other = fake.another();
    for (let n = 0; n < 9; n++) {
      const task = await parent(["slow"]);
      const dying = mortal(store, 6);
      await new Worker({ ...fake.parts, store: dying.store }, fake.engine.events, GONE)
        .work(task.id, NEVER)
        .catch(() => null);
    }
    const children = (await store.tasks.list()).filter(({ parent: of }) => of !== null);
    expect(children).toHaveLength(9);
    const working = children.map(async ({ id }) => other.work(id, NEVER));
    await gate.reached;
    const single = await fake.submit("z");
    await store.leases.claim(single.id, GONE);
    await fake.worker.lookForDead(NEVER);
    expect(await single.outcome()).toMatchObject({ state: "succeeded" });
    gate.open();
    await Promise.all(working);
    await fake.worker.settled();
    expect(await leases()).toEqual([]);
  });

  test("that was cancelled while it had no worker begins no further child", async () => {
    const task = await parent(["a", "b", "c"], { concurrency: 2 });
    const dying = mortal(fake.engine.store, 12);
    await new Worker({ ...fake.parts, store: dying.store }, fake.engine.events, GONE)
      .work(task.id, NEVER)
      .catch(() => null);
    const before = await childrenOf(task);
    expect(before.length).toBeGreaterThan(0);
    await task.cancel();
    await fake.worker.recoverAll(NEVER);
    const { state, error } = await task.outcome();
    expect([state, error?.code]).toEqual(["undone", "HW_CANCELLED"]);
    expect((await childrenOf(task)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    for (const { state: ended } of await childrenOf(task)) expect(["succeeded", "undone"]).toContain(ended);
  });

  test("that another worker has by now is neither gone on with nor stopped by the one that lost it", async () => {
    const gate = fake.gate("slow");
    child("a", { steps: [runStep("web1", "slow")] });
    const task = await parent(["a", "b"], { concurrency: 1 });
    const working = fake.worker.work(task.id, NEVER).catch((error: unknown) => error);
    await gate.reached;
    // As for a process that was stopped for longer than its lease.
    await fake.engine.store.leases.release(task.id, [`task/${task.id}`]);
    const next = fake.another().recover(task.id);
    gate.open();
    expect(await working).toMatchObject({ code: "HW_LEASE_LOST" });
    expect(await next).toMatchObject({ state: "succeeded", value: { succeeded: 2 } });
    expect((await childrenOf(task)).map(({ state }) => state)).toEqual(["succeeded", "succeeded"]);
  });

  test("that another one holds gets no further child from the worker that lost it", async () => {
    const gate = fake.gate("slow");
    child("a", { steps: [runStep("web1", "slow")] });
    const task = await parent(["a", "b"], { concurrency: 1 });
    const working = fake.worker.work(task.id, NEVER).catch((error: unknown) => error);
    await gate.reached;
    const { leases: store } = fake.engine.store;
    await store.release(task.id);
    expect(await store.acquire(task.id, newHolder(), [{ scope: `task/${task.id}`, mode: "exclusive" }])).toHaveProperty(
      "granted",
    );
    gate.open();
    expect(await working).toMatchObject({ code: "HW_LEASE_LOST" });
    expect((await childrenOf(task)).map(({ id }) => id)).toEqual([childId(task.id, 0)]);
  });

  test("is never put back into the line, where a cancel would end it and leave its children", async () => {
    const task = await parent(["a", "b"], { concurrency: 1 });
    const dying = mortal(fake.engine.store, 12);
    const worker = new Worker({ ...fake.parts, store: dying.store }, fake.engine.events, GONE);
    await worker.work(task.id, NEVER).catch(() => null);
    expect(await childrenOf(task)).not.toEqual([]);
    await fake.worker.recover(task.id, { closing: AbortSignal.abort() });
    expect(await stateOf(task)).toBe("running");
  });

  test("waits for a child that somebody else's task is in the way of, and helps that on where nobody works it", async () => {
    const scopes = [{ scope: "site/a", mode: "exclusive" }] as const;
    fake.wants.set("other", { subject: "site/a", scopes });
    child("other", { about: ["site/a"], steps: [runStep("web1", "other")] });
    fake.engine.operation("other", {});
    const other = await fake.submit("other");
    const task = await parent(["a", "b"]);
    const taken = await fake.worker.takeNext();
    expect(taken).toBe(other.id);
    await fake.engine.store.leases.putBack(other.id, (await fake.engine.store.leases.list())[0]?.holder ?? "", []);
    expect(await fake.another().work(task.id, NEVER)).toMatchObject({ state: "succeeded", value: { succeeded: 2 } });
    expect(await stateOf(other)).toBe("succeeded");
  });

  test("of a store that was restored is a person's, who takes it back with what is still in line", async () => {
    const task = await parent(["a", "b", "c"], { concurrency: 3 });
    const dying = mortal(fake.engine.store, 14);
    await new Worker({ ...fake.parts, store: dying.store }, fake.engine.events, GONE)
      .work(task.id, NEVER)
      .catch(() => null);
    await raiseEpoch(fake.parts, fake.engine.events);
    expect(await stateOf(task)).toBe("needs-attention");
    await task.resolve("retry");
    const { state, error } = await task.outcome();
    expect([state, error?.data["report"]]).toEqual(["undone", expect.objectContaining({ total: 3 })]);
    expect((await childrenOf(task)).filter((one) => one.state === "queued")).toEqual([]);
  });
});
