import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { ensureStep, runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, NEVER, file } from "../../../test/fake-worker.ts";
import { FakeServer } from "../../../test/fake-world.ts";
import type { OperationContext } from "../../contracts/operation.ts";
import { TableTasks } from "../../store/state/table-tasks.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

describe("a task that succeeds", () => {
  test("is worked to its end, told in events, and leaves no lease", async () => {
    const submitted = await fake.submit("a");
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({ state: "succeeded", error: null, residue: [] });
    expect(fake.world.snapshot()).toEqual({ web1: { "file /a": "x" } });
    expect(await fake.engine.store.leases.list()).toEqual([]);
    expect((await fake.engine.store.events.after(0)).map(({ type }) => type)).toEqual([
      "task:started",
      "action:started",
      "action:finished",
      "task:committed",
      "task:finished",
    ]);
  });

  test("keeps no prior states", async () => {
    await fake.worker.work((await fake.submit("a")).id, NEVER);
    fake.drafts.set("b", { steps: [file("/a", "new")] });
    const second = await fake.submit("b");
    await fake.worker.work(second.id, NEVER);
    expect((await fake.engine.store.journal.read(second.id)).map(({ undo }) => undo)).toEqual([null, null]);
  });

  test("gives its value, also to who asks later", async () => {
    fake.drafts.set("a", { value: { url: "http://a.test/" } });
    const submitted = await fake.submit("a");
    const waiting = submitted.result();
    await fake.worker.work(submitted.id, NEVER);
    expect([await waiting, await submitted.result()]).toEqual([{ url: "http://a.test/" }, { url: "http://a.test/" }]);
  });

  test("stays one although its events cannot be written after the commit row", async () => {
    const submitted = await fake.submit("a");
    const { emit } = fake.engine.events;
    fake.engine.events.emit = async (id, type, payload) => {
      if (type === "task:committed") throw new Error("disk full");
      return emit.call(fake.engine.events, id, type, payload);
    };
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({ state: "succeeded" });
    expect(fake.world.snapshot()).toEqual({ web1: { "file /a": "x" } });
  });
});

describe("a task that fails", () => {
  test("drops the fence of what it had reserved, again where its server is just coming up", async () => {
    const gone = { kind: "site", id: "s1" } as const;
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "fail")], release: [gone] });
    const drops: number[] = [];
    const script = vi.spyOn(FakeServer.prototype, "script").mockImplementation(async function (this: FakeServer, what) {
      const answer = await this.run();
      if (!what.script.includes("rm -f")) return answer;
      drops.push(drops.length === 0 ? 1 : 0);
      return { ...answer, exitCode: drops.at(-1) ?? 0, stderr: "rm: cannot remove 'x': Input/output error" };
    });
    onTestFinished(() => script.mockRestore());
    const submitted = await fake.submit("a");
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({ state: "undone", residue: [] });
    expect(drops).toEqual([1, 0]);
  });

  test("is undone; its outcome never rejects, its result throws the error with server, remedy and task", async () => {
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "fail")] });
    const submitted = await fake.submit("a");
    const waiting = submitted.outcome();
    await fake.worker.work(submitted.id, NEVER);
    expect(await waiting).toMatchObject({
      state: "undone",
      value: {},
      residue: [],
      error: { code: "HW_PROBE_FAILED" },
    });
    await expect(submitted.result()).rejects.toMatchObject({
      code: "HW_PROBE_FAILED",
      message: "no answer",
      server: "web1",
      data: { task: submitted.id, state: "undone", residue: [] },
    });
    expect(fake.world.snapshot()).toEqual({ web1: {} });
    expect(await fake.engine.store.leases.list()).toEqual([]);
  });

  test("in planning has touched nothing and holds nothing", async () => {
    fake.drafts.set("a", { steps: [ensureStep("web1", [{ type: "nothing", spec: {}, owner: "site/s1" }])] });
    const submitted = await fake.submit("a");
    expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({
      state: "undone",
      error: { code: "HW_PLUGIN_MISSING" },
    });
    expect(fake.world.effects).toEqual([]);
    expect(await fake.engine.store.leases.list()).toEqual([]);
  });

  test("and cannot be undone keeps its site leased, frees the server, and lists what is left", async () => {
    fake.engine.operation("stuck", { undo: () => Promise.reject(new Error("busy")) });
    fake.drafts.set("a", { about: ["site/s1"], steps: [runStep("web1", "stuck"), runStep("web1", "fail")] });
    const submitted = await fake.submit("a");
    const outcome = await fake.worker.work(submitted.id, NEVER);
    expect(outcome).toMatchObject({
      state: "needs-attention",
      residue: [{ server: "web1", type: "run", key: "stuck", reason: "busy" }],
    });
    expect((await fake.engine.store.leases.list()).map(({ scope }) => scope)).toEqual(["site/s1"]);
    await expect(submitted.result()).rejects.toThrow("Left behind: stuck on web1");

    const next = await fake.submit("b");
    const stop = new AbortController();
    const waiting = fake.worker.work(next.id, stop.signal);
    await expect
      .poll(async () => (await fake.engine.store.events.after(0)).map(({ type }) => type))
      .toContain("task:waiting");
    stop.abort();
    expect(await waiting).toMatchObject({ state: "undone" });
  });

  test("keeps what undo needs while it needs attention", async () => {
    await fake.worker.work((await fake.submit("a")).id, NEVER);
    fake.engine.operation("stuck", { undo: () => Promise.reject(new Error("busy")) });
    fake.drafts.set("b", { steps: [file("/a", "new"), runStep("web1", "stuck"), runStep("web1", "fail")] });
    const second = await fake.submit("b");
    await fake.worker.work(second.id, NEVER);
    expect((await fake.engine.store.journal.read(second.id)).some(({ undo }) => undo !== null)).toBe(true);
  });
});

describe("several workers", () => {
  test("work one task once", async () => {
    let runs = 0;
    fake.engine.operation("count", { run: async () => void runs++ });
    fake.drafts.set("a", { steps: [runStep("web1", "count")] });
    const submitted = await fake.submit("a");
    const workers = Array.from({ length: 4 }, () => fake.another());
    const outcomes = await Promise.all(workers.map(async (one) => one.work(submitted.id, NEVER)));
    expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1);
    expect(runs).toBe(1);
  });

  test("do not work on one site at once: who comes second waits, is told for whom, and plans what is left", async () => {
    const { reached, open } = fake.gate("slow");
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "slow")] });
    fake.drafts.set("b", { steps: [file("/a")] });
    const [one, two] = [await fake.submit("a"), await fake.submit("b")];
    const first = fake.worker.work(one.id, NEVER);
    await reached;
    const second = fake.another().work(two.id, NEVER);
    const waiting = async (): Promise<unknown> =>
      (await fake.engine.store.events.after(0, { task: two.id })).find(({ type }) => type === "task:waiting")?.payload;
    await expect.poll(waiting).toEqual({ position: 1, blockedBy: [{ task: one.id, scope: "site/s1" }] });
    open();
    expect(await first).toMatchObject({ state: "succeeded" });
    expect(await second).toMatchObject({ state: "succeeded" });
    expect(fake.world.effects).toEqual(["web1 + file /a"]);
  });

  test("who waits asks the store some twenty times a second, and the queue behind it writes nothing", async () => {
    const { reached, open } = fake.gate("slow");
    fake.drafts.set("a", { steps: [runStep("web1", "slow")] });
    const [one, two] = [await fake.submit("a"), await fake.submit("b")];
    const first = fake.worker.work(one.id, NEVER);
    await reached;
    const second = fake.worker.work(two.id, NEVER);
    await expect.poll(async () => (await two.waiting())?.for).toBe("leases");
    const asked = vi.spyOn(fake.engine.store.leases, "claim");
    const told = vi.spyOn(fake.engine.store.events, "append");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(asked.mock.calls.length).toBeGreaterThan(5);
    expect(asked.mock.calls.length).toBeLessThan(30);
    expect(told).not.toHaveBeenCalled();
    open();
    await Promise.all([first, second]);
  });

  test("a worker that lost its lease ends nothing that is another's now", async () => {
    const submitted = await fake.submit("a");
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "lose"), file("/b")] });
    fake.engine.operation("lose", { run: async () => fake.engine.store.leases.release(submitted.id) });
    await expect(fake.worker.work(submitted.id, NEVER)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
    expect(await fake.engine.store.tasks.get(submitted.id)).toMatchObject({ state: "running", finishedAt: null });
    expect(fake.world.effects).toEqual(["web1 + file /a"]);
  });

  test("a worker that lost its lease when all was done leaves the end to who has it", async () => {
    const { id } = await fake.submit("a");
    const { end } = TableTasks.prototype;
    vi.spyOn(TableTasks.prototype, "end").mockImplementationOnce(async function (this: TableTasks, ...given) {
      await fake.engine.store.leases.release(id);
      return end.apply(this, given);
    });
    await expect(fake.worker.work(id, NEVER)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
    expect(await fake.engine.store.tasks.get(id)).toMatchObject({ state: "running", finishedAt: null });
  });
});

describe("a task whose time is over", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
  });

  /** Runs until it is stopped, as a remote unit does. */
  function endless(): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const run = async ({ target }: OperationContext): Promise<never> =>
      new Promise((_resolve, reject) => {
        target.signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
        reached.resolve();
      });
    fake.engine.operation("endless", { run });
    return reached.promise;
  }

  test("is stopped, shown as being cancelled, undone, and told apart from a cancelled one", async () => {
    const reached = endless();
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "endless")] });
    const working = fake.worker.work((await fake.submit("a", { timeoutMs: 5_000 })).id, NEVER);
    await reached;
    vi.advanceTimersByTime(5_000);
    expect(await working).toMatchObject({
      state: "undone",
      residue: [],
      error: {
        code: "HW_TASK_TIMEOUT",
        message: expect.stringMatching(/out of time during "endless" on web1/) as string,
      },
    });
    expect(fake.world.effects).toEqual(["web1 + file /a", "web1 - file /a"]);
    expect(await fake.engine.store.leases.list()).toEqual([]);
  });

  test("is not counted while it waits for others", async () => {
    const { reached, open } = fake.gate("slow");
    fake.drafts.set("a", { steps: [runStep("web1", "slow")] });
    const [one, two] = [await fake.submit("a"), await fake.submit("b", { timeoutMs: 5_000 })];
    const first = fake.worker.work(one.id, NEVER);
    await reached;
    const second = fake.another().work(two.id, NEVER);
    await expect
      .poll(async () => (await fake.engine.store.events.after(0, { task: two.id })).map(({ type }) => type))
      .toContain("task:waiting");
    vi.advanceTimersByTime(10_000);
    open();
    expect(await first).toMatchObject({ state: "succeeded" });
    expect(await second).toMatchObject({ state: "succeeded" });
  });

  test("by the signal of who runs it is the same", async () => {
    const reached = endless();
    const stop = new AbortController();
    fake.drafts.set("a", { steps: [file("/a"), runStep("web1", "endless")] });
    const working = fake.worker.work((await fake.submit("a")).id, stop.signal);
    await reached;
    stop.abort(new DOMException("The operation timed out.", "TimeoutError"));
    expect(await working).toMatchObject({ state: "undone", error: { code: "HW_TASK_TIMEOUT" } });
  });
});

test("an operation does not begin once a record that it was planned by is another", async () => {
  const { records } = fake.engine.store;
  const site = { kind: "site", id: "s9", name: "s9.example", value: {} } as const;
  fake.engine.operation("early", {
    run: async () => void (await records.put(site, { expect: 0, claims: [] })),
  });
  const run = vi.fn<() => Promise<null>>(async () => null);
  fake.engine.operation("late", { run });
  const judged = { records: [{ kind: "site", id: "s9", version: 0 }] } as const;
  fake.drafts.set("a", { steps: [runStep("web1", "early"), runStep("web1", "late", judged)] });
  const { id } = await fake.submit("a");
  expect(await fake.worker.work(id, NEVER)).toMatchObject({ state: "undone", error: { code: "HW_TASK_STATE" } });
  expect(run).not.toHaveBeenCalled();
});

test("a task that has nothing for itself alone is fenced by itself: others that share its server are in nobody's way", async () => {
  const scopes: string[] = [];
  fake.engine.operation("look", { run: async ({ target }) => void scopes.push(target.scope) });
  const look = runStep("web1", "look");
  fake.drafts.set("shares", { about: [], steps: [look] });
  fake.drafts.set("owns", { about: ["site/s1"], steps: [look] });
  const tasks = [await fake.submit("shares"), await fake.submit("owns")];
  for (const { id } of tasks) await fake.worker.work(id, NEVER);
  expect(scopes).toEqual([`task/${tasks[0]?.id}`, "site/s1"]);
});
