import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { ensureStep, runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, file, NEVER, working } from "../../../test/fake-worker.ts";
import { memoryStore } from "../../../test/memory-store/memory-store.ts";
import type { Task } from "../../api/task.ts";
import type { StateStore, TaskWrites, Wants } from "../../contracts/store.ts";
import { Turn } from "./turn.ts";

const SITE: Wants = { subject: "site/s1", scopes: [{ scope: "site/s1", mode: "exclusive" }] };

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

/** Tasks of one site, each of which leaves its name as the last word; the later, the faster they are planned. */
async function words(count: number): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  for (let n = 0; n < count; n++) {
    fake.wants.set(`w${n}`, SITE);
    fake.drafts.set(`w${n}`, { steps: [file("/word", `w${n}`)] });
    tasks.push(await fake.submit(`w${n}`));
  }
  return tasks;
}

function slowPlanning(): void {
  const type = fake.parts.tasks.get("test:work");
  if (type === undefined) throw new Error("the fake has lost its task type");
  const { plan } = type;
  vi.spyOn(type, "plan").mockImplementation(async (context, request) => {
    const { name } = request as { readonly name: string };
    await new Promise((resolve) => setTimeout(resolve, 60 - 10 * Number(name.slice(1))));
    return plan(context, request);
  });
}

describe("tasks of one site", () => {
  test("are done in the order of their submission, however long each is planned and how many workers there are", async () => {
    slowPlanning();
    const tasks = await words(6);
    await using _one = working(fake.worker, 3);
    await using _two = working(fake.another(), 3);
    for (const one of tasks) expect(await one.outcome()).toMatchObject({ state: "succeeded" });
    expect(fake.world.snapshot()["web1"]?.["file /word"]).toBe("w5");
    const done = fake.world.effects.filter((line) => line.includes("/word"));
    expect(done).toHaveLength(6);
    const started = (await fake.engine.store.events.after(0)).filter(({ type }) => type === "task:started");
    expect(started.map(({ task }) => task)).toEqual(tasks.map(({ id }) => id));
  });

  test("are done so too when the last is run here and now, and nobody works the others", async () => {
    const tasks = await words(3);
    expect(await fake.worker.work(tasks[2]?.id ?? "", NEVER)).toMatchObject({ state: "succeeded" });
    for (const one of tasks) expect(await one.outcome()).toMatchObject({ state: "succeeded" });
    expect(fake.world.snapshot()["web1"]?.["file /word"]).toBe("w2");
  });

  test("of which one is cancelled while it waits leave the others in order, and nothing of that one", async () => {
    const tasks = await words(3);
    await tasks[1]?.cancel();
    await using _queue = working(fake.worker, 2);
    expect((await Promise.all(tasks.map(async (one) => one.outcome()))).map(({ state }) => state)).toEqual([
      "succeeded",
      "undone",
      "succeeded",
    ]);
  });
});

test("a task that wants all of a server is not overtaken by those that were submitted later", async () => {
  const { reached, open } = fake.gate("slow");
  const shared = { scope: "server/web1", mode: "shared" } as const;
  const on = (name: string): void => {
    const leases = [{ scope: `site/${name}`, mode: "exclusive" } as const, shared];
    fake.wants.set(name, { subject: `site/${name}`, scopes: leases });
    fake.drafts.set(name, {
      about: [`site/${name}`],
      steps: [ensureStep("web1", [{ type: "file", spec: { key: `/${name}`, value: "x" }, owner: `site/${name}` }])],
    });
  };
  on("first");
  fake.drafts.set("first", { ...fake.drafts.get("first"), steps: [runStep("web1", "slow")] });
  const first = await fake.submit("first");
  const all = [{ scope: "server/web1", mode: "exclusive" } as const];
  fake.wants.set("server", { subject: "server/web1", scopes: all });
  fake.drafts.set("server", { about: ["server/web1"], steps: [file("/server")] });
  const server = await fake.submit("server");
  const later = Array.from({ length: 20 }, (_, n) => `later${n}`);
  for (const name of later) on(name);
  const others = await Promise.all(later.map(async (name) => fake.submit(name)));
  await using _queue = working(fake.worker, 4);
  await reached;
  expect(await Promise.all(others.map(async (one) => (await one.waiting())?.for))).toEqual(Array(20).fill("leases"));
  open();
  for (const one of [first, server, ...others]) expect(await one.outcome()).toMatchObject({ state: "succeeded" });
  const started = (await fake.engine.store.events.after(0))
    .filter(({ type }) => type === "task:started")
    .map(({ task }) => task);
  expect(started.slice(0, 2)).toEqual([first.id, server.id]);
});

describe("tasks that wait for one stuck site", () => {
  test("hold nothing and no place, however many: all other sites are worked", async () => {
    fake.engine.operation("stuck", { undo: () => Promise.reject(new Error("busy")) });
    fake.drafts.set("stuck", { steps: [runStep("web1", "stuck"), runStep("web1", "fail")] });
    expect(await fake.worker.work((await fake.submit("stuck")).id, NEVER)).toMatchObject({ state: "needs-attention" });
    const waiting = await words(10);
    // Planned before it is known what they need, they wait as well.
    const unknown = await Promise.all(["u1", "u2"].map(async (name) => fake.submit(name)));
    fake.drafts.set("fresh", {
      about: ["site/s2"],
      steps: [ensureStep("web1", [{ type: "file", spec: { key: "/f", value: "x" }, owner: "site/s2" }])],
    });
    const fresh = await fake.submit("fresh");
    await using _queue = working(fake.worker, 1);
    expect(await fresh.outcome()).toMatchObject({ state: "succeeded" });
    for (const one of [...waiting, ...unknown]) {
      expect(await fake.engine.store.tasks.state(one.id)).toBe("queued");
      await one.cancel();
      expect(await one.outcome()).toMatchObject({ state: "undone", error: { code: "HW_CANCELLED" } });
    }
    expect((await fake.engine.store.leases.list()).map(({ scope }) => scope)).toEqual(["site/s1"]);
  });
});

/** A store in memory that counts what it is asked, and what it is told for tasks. */
function countedStore(): { readonly store: StateStore; calls(): number } {
  let calls = 0;
  const counted = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== "function") return call;
        return (...given: readonly unknown[]): unknown => {
          calls++;
          return Reflect.apply(call, target, given);
        };
      },
    });
  const plain = memoryStore();
  const parts = ["records", "register", "tasks", "journal", "secrets", "events", "plans", "leases"] as const;
  const all = Object.fromEntries(parts.map((name) => [name, counted(plain[name])]));
  const held: StateStore["held"] = (task, holder) => {
    const writes = Object.entries(plain.held(task, holder)).map(([name, part]) => [name, counted(part as object)]);
    return Object.fromEntries(writes) as TaskWrites;
  };
  return { store: { ...plain, ...all, held }, calls: () => calls };
}

/** What so many tasks cost that are run side by side and have one site in turn, for 50 ms each; by a clock of their own. */
async function costOf(count: number): Promise<number> {
  const { store, calls } = countedStore();
  await using fake = await FakeWorker.open(store);
  fake.engine.operation("slow", { run: async () => new Promise<void>((resolve) => setTimeout(resolve, 50)) });
  const tasks: Task[] = [];
  for (let n = 0; n < count; n++) {
    fake.wants.set(`w${n}`, SITE);
    fake.drafts.set(`w${n}`, { steps: [runStep("web1", "slow")] });
    tasks.push(await fake.submit(`w${n}`));
  }
  const over = new AbortController();
  const working = Promise.all(tasks.map(async ({ id }) => fake.worker.work(id, NEVER))).finally(() => over.abort());
  const before = calls();
  while (!over.signal.aborted) {
    for (let turn = 0; turn < 6; turn++) await nextTurn();
    vi.advanceTimersByTime(25);
  }
  const cost = calls() - before;
  expect((await working).map((one) => one?.state)).toEqual(tasks.map(() => "succeeded"));
  return cost;
}

test("many tasks that wait for one site ask the store about as often each as few do", async () => {
  // What tells the time stays, since the whole process has it: by that nobody is found to be overdue, and helped on.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.spyOn(Turn.prototype, "helpless").mockReturnValue([]);
  onTestFinished(() => void vi.useRealTimers());
  const [few, more, many] = [await costOf(20), await costOf(40), await costOf(80)];
  // Of four times as many each would ask two and a half times as often, were all of them told and woken as the first are.
  expect(more / 40).toBeLessThan(2 * (few / 20));
  expect(many / 80).toBeLessThan(2 * (few / 20));
});
