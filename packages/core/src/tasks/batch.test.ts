import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { gate, openOwn, type OwnFacade } from "../../test/own-facade.ts";
import { runStep } from "../../test/fake-engine.ts";
import type { Operation } from "../contracts/operation.ts";
import type { Plugin } from "../contracts/plugin.ts";
import type { ChildrenReport } from "../contracts/children-report.ts";
import type { TaskRequest, TaskType } from "../contracts/task.ts";
import type { Policy } from "../api/access.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { createHostwright } from "../hostwright.ts";
import type { HostwrightOptions } from "../options.ts";
import { CONTRACT } from "../plugin-kit/contract.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import { childrenReport } from "../plugin-kit/children-report.ts";
import { batch } from "./batch.ts";
import { preview } from "./preview.ts";

/** What children did: `+name` at its beginning, `-name` at its undo. */
interface World {
  readonly done: string[];
  now: number;
  most: number;
  gates: Map<string, ReturnType<typeof gate>>;
}

const work = (name: string, site = name): TaskRequest<{ readonly name: string }> => task.request(name, site);

const task = defineTask({
  type: "site:work",
  version: 1,
  input: z.strictObject({ name: z.string(), site: z.string() }),
  value: z.strictObject({ name: z.string() }),
  request: (name: string, site: string) => ({ name, site }),
  title: ({ name }) => `work ${name}`,
  subject: ({ site }) => ({ site }),
  plan: async ({ inventory }, { name, site }) => {
    // The later, the faster: nobody's order follows from how long a planning takes.
    if (name.startsWith("o")) await delay(120 - 10 * Number(name.slice(1)));
    return {
      title: `work ${name}`,
      about: [`site/${site}`],
      steps: [runStep("web1", "work", { server: inventory.server("web1"), input: { name } })],
      value: { name },
    };
  },
});

/** As a package would: for each name a child, and a value of its own beside their report. */
const each: TaskType<
  [names: readonly string[], more?: { readonly own?: boolean; readonly deep?: boolean }],
  { readonly names: readonly string[]; readonly own: boolean; readonly deep: boolean },
  ChildrenReport & { readonly asked: number }
> = defineTask({
  type: "server:each",
  version: 1,
  input: z.strictObject({
    names: z.array(z.string()),
    own: z.boolean().default(false),
    deep: z.boolean().default(false),
  }),
  value: childrenReport.extend({ asked: z.int() }),
  request: (names: readonly string[], more = {}) => ({ names: [...names], ...more }),
  title: () => "each",
  subject: () => ({}),
  plan: async ({ inventory }, { names, own, deep }) => ({
    title: `each of ${names.length}`,
    about: own ? ["server/x"] : [],
    steps: own ? [runStep("web1", "work", { server: inventory.server("web1"), input: { name: "own" } })] : [],
    children: { requests: names.map((name) => (deep ? each.request([name]) : work(name))), concurrency: 2 },
    value: { asked: names.length },
  }),
});

async function open(
  options: Partial<HostwrightOptions> = {},
): Promise<OwnFacade & { readonly world: World; readonly works: Plugin }> {
  const world: World = { done: [], now: 0, most: 0, gates: new Map() };
  const operation: Operation = {
    name: "work",
    version: 1,
    run: async (context, input) => {
      const { name } = input as { readonly name: string };
      world.done.push(`+${name}`);
      world.now++;
      world.most = Math.max(world.most, world.now);
      try {
        if (name.startsWith("bad")) throw new HostwrightError("HW_COMMAND_FAILED", `${name} went wrong`);
        const held = world.gates.get(name);
        if (held === undefined) await delay(40);
        else await held.operation.run?.(context, input);
        return null;
      } finally {
        world.now--;
      }
    },
    probe: async () => "absent",
    undo: async (_context, input) => void world.done.push(`-${(input as { readonly name: string }).name}`),
  };
  const works: Plugin = { name: "works", contract: CONTRACT, tasks: [task, each], operations: [operation] };
  return { ...(await openOwn({}, { plugins: [works], ...options })), world, works };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `w${index}`);
const begun = ({ done }: World): string[] => done.filter((line) => line.startsWith("+")).map((line) => line.slice(1));
const hold = (world: World, name: string): ReturnType<typeof gate> => {
  const held = gate();
  world.gates.set(name, held);
  return held;
};

describe("a batch", () => {
  test("runs here and now without any worker, at most so many at once, and reports of each", async () => {
    const { hw, world } = await open();
    const held = names(3).map((name) => hold(world, name));
    const running = hw.run(
      batch(
        names(12).map((name) => work(name)),
        { concurrency: 3 },
      ),
    );
    await Promise.all(held.map(async ({ reached }) => reached));
    for (const { open: let_ } of held) let_();
    const report = await running;
    expect(report).toMatchObject({ total: 12, succeeded: 12, failed: 0, notBegun: 0 });
    expect(world.most).toBe(3);
    expect(begun(world).toSorted()).toEqual(names(12).toSorted());
    expect(report.children.map(({ title }) => title)).toEqual(names(12).map((name) => `work ${name}`));
    const [first] = report.children;
    expect(await hw.task(first?.task ?? "").result()).toEqual({ name: "w0" });
  });

  test("has itself as parent of its children, who have its actor", async () => {
    const { hw } = await open();
    const ann = hw.as({ id: "ann" });
    await ann.run(batch([work("a"), work("b")]));
    const [parent] = (await hw.tasks.list({ type: "task:batch" })).tasks;
    const children = (await hw.tasks.list({ parent: parent?.id ?? "" })).tasks;
    expect(parent).toMatchObject({ title: "batch of 2 tasks", parent: null, actor: "ann" });
    expect(children.map(({ title, actor, parent }) => [title, actor, parent])).toEqual([
      ["work b", "ann", parent?.id],
      ["work a", "ann", parent?.id],
    ]);
  });

  test("is worked where there is one place only, and beside it others have theirs", async () => {
    const { hw, world } = await open();
    await using _working = hw.work({ concurrency: 1 });
    const task = await hw.submit(
      batch(
        names(4).map((name) => work(name)),
        { concurrency: 4 },
      ),
    );
    expect(await task.result()).toMatchObject({ succeeded: 4 });
    expect(world.most).toBe(1);
  });

  test("uses the places of other workers up to its own bound", async () => {
    const { hw, world } = await open();
    await using _working = hw.work({ concurrency: 8 });
    const held = names(3).map((name) => hold(world, name));
    const task = await hw.submit(
      batch(
        names(9).map((name) => work(name)),
        { concurrency: 3 },
      ),
    );
    await Promise.all(held.map(async ({ reached }) => reached));
    for (const { open: let_ } of held) let_();
    expect(await task.result()).toMatchObject({ succeeded: 9 });
    expect(world.most).toBe(3);
  });

  test("keeps the order of those that are about the same", async () => {
    const { hw, world } = await open();
    await using _working = hw.work({ concurrency: 3 });
    const ordered = names(12).map((name) => name.replace("w", "o"));
    const requests = ordered.map((name, index) => work(name, `s${index % 2}`));
    await hw.run(batch(requests, { concurrency: 6 }));
    for (const parity of [0, 1]) {
      const own = begun(world).filter((name) => Number(name.slice(1)) % 2 === parity);
      expect(own).toEqual(ordered.filter((_, index) => index % 2 === parity));
    }
  });

  test("goes on past one that fails, which is in its report", async () => {
    const { hw } = await open();
    const report = await hw.run(batch([work("a"), work("bad"), work("c")], { concurrency: 1 }));
    expect(report).toMatchObject({ total: 3, succeeded: 2, failed: 1, notBegun: 0 });
    expect(report.children[1]).toMatchObject({
      title: "work bad",
      state: "undone",
      error: { code: "HW_COMMAND_FAILED", message: "bad went wrong" },
    });
  });

  test("begins none further after as many failures as it was told, and says what became of each", async () => {
    const { hw, world } = await open();
    const requests = [work("a"), work("bad1"), work("c"), work("bad2"), work("e"), work("f")];
    const task = await hw.submit(batch(requests, { concurrency: 1, stopAfter: 2 }));
    await using _working = hw.work({ concurrency: 2 });
    const outcome = await task.outcome();
    expect(outcome).toMatchObject({ state: "undone", residue: [], error: { code: "HW_BATCH_STOPPED" } });
    expect(outcome.error?.message).toContain("of 6 children 2 succeeded, 2 failed, 2 not begun");
    const { report } = outcome.error?.data ?? {};
    expect(childrenReport.parse(report).children.map(({ state, task }) => [state, task !== null])).toEqual([
      ["succeeded", true],
      ["undone", true],
      ["succeeded", true],
      ["undone", true],
      ["not-begun", false],
      ["not-begun", false],
    ]);
    expect(begun(world)).toEqual(["a", "bad1", "c", "bad2"]);
    // What they did stays.
    expect(world.done.filter((line) => line.startsWith("-"))).toEqual(["-bad1", "-bad2"]);
    const event = (await hw.events({ after: 0 }).next()).value;
    expect(JSON.stringify(event)).not.toContain("children");
  });

  test("takes those out of the line that were in it when it stopped, and lets those end that run", async () => {
    const { hw, world } = await open();
    const slow = hold(world, "slow");
    const requests = [work("slow", "s"), work("bad", "b"), work("late", "s"), work("last")];
    const running = hw.run(batch(requests, { concurrency: 3, stopAfter: 1 })).catch((error: unknown) => error);
    await slow.reached;
    await expect.poll(() => world.done).toContain("-bad");
    await expect.poll(async () => (await hw.tasks.list({ state: "undone" })).tasks.length).toBe(2);
    slow.open();
    const error = await running;
    expect(error).toMatchObject({ code: "HW_BATCH_STOPPED", data: { state: "undone" } });
    const report = childrenReport.parse((error as HostwrightError).data["report"]);
    expect(report).toMatchObject({ succeeded: 1, failed: 1, notBegun: 2 });
    expect(report.children[2]).toEqual({
      task: expect.any(String),
      title: "work late",
      state: "not-begun",
      error: null,
    });
    expect(begun(world).toSorted()).toEqual(["bad", "slow"]);
  });

  test("that is cancelled stops those that run, begins no further one, and keeps what was done", async () => {
    const { hw, world } = await open();
    await using _working = hw.work({ concurrency: 4 });
    const [one, two] = [hold(world, "w1"), hold(world, "w2")];
    const task = await hw.submit(
      batch(
        names(6).map((name) => work(name)),
        { concurrency: 2 },
      ),
    );
    await Promise.all([one.reached, two.reached]);
    await task.cancel();
    const outcome = await task.outcome();
    expect(outcome).toMatchObject({ state: "undone", error: { code: "HW_CANCELLED" } });
    expect(outcome.error?.message).toContain("of 6 children 1 succeeded, 2 failed, 3 not begun");
    expect(begun(world).toSorted()).toEqual(["w0", "w1", "w2"]);
    const report = childrenReport.parse(outcome.error?.data["report"]);
    expect(report.children.slice(1, 3).map(({ error }) => error?.code)).toEqual(["HW_CANCELLED", "HW_CANCELLED"]);
    expect(world.now).toBe(0);
  });

  test("stops so too when its caller gives up, or its time is over", async () => {
    const { hw, world } = await open();
    hold(world, "w0");
    const stop = new AbortController();
    const running = hw.run(batch([work("w0"), work("w1", "w0")]), { signal: stop.signal });
    await world.gates.get("w0")?.reached;
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "HW_CANCELLED" });
    const held = hold(world, "w2");
    await using _working = hw.work();
    const timed = await hw.submit(batch([work("w2"), work("w3", "w2")]), { timeoutMs: 2_000 });
    await held.reached;
    const outcome = await timed.outcome();
    expect(outcome).toMatchObject({ state: "undone", error: { code: "HW_TASK_TIMEOUT" } });
    expect(outcome.error?.message).toContain("1 failed, 1 not begun");
    expect(begun(world)).toEqual(["w0", "w2"]);
  });

  test("with a misspelt child is refused before anything begins, wherever it is asked for", async () => {
    const { hw, world } = await open();
    const wrong = { type: "site:wrok", name: "x", site: "x" } as unknown as TaskRequest;
    const bad = batch([work("a"), wrong]);
    for (const asking of [hw.run(bad), hw.submit(bad), hw.plan(bad)]) {
      const error = await asking.then(
        () => null,
        (caught: HostwrightError) => caught,
      );
      expect(error).toMatchObject({ code: "HW_INPUT_INVALID" });
      expect(error?.message).toContain('Request 2 of 2: There is no task type "site:wrok"');
    }
    expect([(await hw.tasks.list()).tasks, world.done]).toEqual([[], []]);
  });

  test("may hold neither another batch nor a preview", async () => {
    const { hw } = await open();
    for (const inner of [batch([work("a")]), preview(work("a"))])
      await expect(hw.submit(batch([inner]))).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  });

  test("needs the right to each of its children, also where it is approved or previewed", async () => {
    const asked: string[] = [];
    const policy: Policy = {
      allow: ({ id }, verb, { kind, name }) => {
        asked.push(`${id} ${verb} ${kind} ${name}`);
        return id === "ann" || name !== "b";
      },
    };
    const { hw, stateDir, works } = await open({ policy });
    const [ann, bob] = [hw.as({ id: "ann" }), hw.as({ id: "bob" })];
    const both = batch([work("a"), work("b")]);
    const forbidden = { code: "HW_FORBIDDEN" };
    await expect(bob.submit(both)).rejects.toMatchObject(forbidden);
    await expect(bob.run(both)).rejects.toMatchObject(forbidden);
    await expect(bob.plan(both)).rejects.toMatchObject(forbidden);
    await expect(bob.submit(preview(both))).rejects.toMatchObject(forbidden);
    const { approval } = await ann.plan(both);
    await expect(bob.submit(approval)).rejects.toMatchObject(forbidden);
    await using panel = await createHostwright({ stateDir, plugins: [works], role: "submit", policy });
    await expect(panel.as({ id: "bob" }).submit(both)).rejects.toMatchObject(forbidden);
    await expect(panel.as({ id: "bob" }).submit(approval)).rejects.toMatchObject(forbidden);
    expect(asked).toContain("bob site:work site a");
    expect(await ann.run(approval)).toMatchObject({ succeeded: 2 });
  });

  test("is read before it runs: its plan names its children, and an approval covers them", async () => {
    const { hw, world } = await open();
    const request = batch([work("a"), work("b")], { concurrency: 1, stopAfter: 1 });
    const plan = await hw.plan(request);
    expect([plan.empty, plan.actions, plan.children.map(({ title }) => title)]).toEqual([
      false,
      [],
      ["work a", "work b"],
    ]);
    expect(plan.render()).toBe(
      `Plan ${plan.id}: batch of 2 tasks\n` +
        "  2 children, 1 at once, none further once 1 failed; each is planned when its turn comes\n" +
        "    1. work a\n    2. work b\n",
    );
    expect((await hw.plan(request)).hash).toBe(plan.hash);
    expect((await hw.plan(batch([work("b"), work("a")]))).hash).not.toBe(plan.hash);
    expect((await hw.plan(batch([work("a"), work("b")]))).hash).not.toBe(plan.hash);
    expect(Object.isFrozen(plan.children[0]?.request)).toBe(true);
    const long = await hw.plan(batch(names(450).map((name) => work(name))));
    expect(long.render().split("\n")).toHaveLength(204);
    expect(long.render()).toContain("... and 250 more");
    await using _working = hw.work();
    const read = await (await hw.submit(preview(request))).result();
    expect(read).toMatchObject({ empty: false, hash: plan.hash });
    expect(read.text).toContain("2. work b");
    expect(world.done).toEqual([]);
    expect(await (await hw.submit({ plan: read.plan, hash: read.hash })).result()).toMatchObject({ succeeded: 2 });
    expect(begun(world)).toEqual(["a", "b"]);
  });

  test("of none is done at once, and its plan is empty", async () => {
    const { hw } = await open();
    expect((await hw.plan(batch([]))).empty).toBe(true);
    expect(await hw.run(batch([]))).toEqual({ total: 0, succeeded: 0, failed: 0, notBegun: 0, children: [] });
  });

  test("tells of each child, and how far it is", async () => {
    const { hw } = await open();
    const told: string[] = [];
    const request = batch([work("a"), work("bad"), work("c")], { concurrency: 1 });
    await hw.run(request, {
      onEvent: ({ type, payload }) => {
        if (type === "child:submitted") told.push(`${payload.child} of ${payload.of} ${payload.title}`);
        if (type === "child:finished") told.push(`${payload.state}: ${payload.ended} ended, ${payload.failed} failed`);
      },
    });
    expect(told).toEqual([
      "0 of 3 work a",
      "succeeded: 1 ended, 0 failed",
      "1 of 3 work bad",
      "undone: 2 ended, 1 failed",
      "2 of 3 work c",
      "succeeded: 3 ended, 1 failed",
    ]);
    const [parent] = (await hw.tasks.list({ type: "task:batch" })).tasks;
    const steps: string[] = [];
    for await (const { phase, done, of } of hw.task(parent?.id ?? "").progress()) steps.push(`${phase} ${done}/${of}`);
    expect([steps[0], steps.at(-1)]).toEqual(["waiting 0/0", "over 3/3"]);
    expect(steps).toContain("working 1/3");
  });

  test("that its closed instance ran goes on where somebody works next: none lost, none twice", async () => {
    const first = await open();
    const held = hold(first.world, "w1");
    const running = first.hw.run(
      batch(
        names(5).map((name) => work(name)),
        { concurrency: 1 },
      ),
    );
    await held.reached;
    const closing = first.hw[Symbol.asyncDispose]();
    held.open();
    await expect(running).rejects.toMatchObject({ code: "HW_CLOSED" });
    await closing;
    expect(begun(first.world)).toEqual(["w0", "w1"]);
    const second = await open({ stateDir: first.stateDir });
    await using _working = second.hw.work();
    const [parent] = (await second.hw.tasks.list({ type: "task:batch" })).tasks;
    expect(await second.hw.task(parent?.id ?? "").result()).toMatchObject({ succeeded: 5 });
    expect(begun(second.world)).toEqual(["w2", "w3", "w4"]);
  });
});

describe("a task of a package", () => {
  test("has children as a batch has, and a value of its own beside their report", async () => {
    const { hw, world } = await open();
    const value = await hw.run(each.request(["a", "b", "c"]));
    expect(value).toMatchObject({ asked: 3, total: 3, succeeded: 3 });
    expect(childrenReport.extend({ asked: z.int() }).parse(value)).toEqual(value);
    expect(world.most).toBeLessThanOrEqual(2);
  });

  test("that has children and something of its own is refused, with what that is", async () => {
    const { hw, world } = await open();
    const error = await hw.plan(each.request(["a"], { own: true })).catch((caught: HostwrightError) => caught);
    expect(error).toMatchObject({ code: "HW_INTERNAL" });
    expect((error as HostwrightError).message).toContain("leases, steps of its own");
    expect(world.done).toEqual([]);
  });

  test("whose children have children fails with those, which begin nothing", async () => {
    const { hw, world } = await open();
    const value = await hw.run(each.request(["a"], { deep: true }));
    expect(value).toMatchObject({ failed: 1, children: [{ error: { code: "HW_INPUT_INVALID" } }] });
    expect(world.done).toEqual([]);
  });
});
