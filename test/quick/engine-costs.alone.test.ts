import { getEventListeners } from "node:events";
import { queryObjects } from "node:v8";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { Events } from "../../packages/core/src/engine/events.ts";
import { Journal } from "../../packages/core/src/engine/actions/journal.ts";
import { Session } from "../../packages/core/src/engine/sessions/session.ts";
import type { Step } from "../../packages/core/src/contracts/steps.ts";
import { Database } from "../../packages/core/src/store/sqlite/database.ts";
import { runStep } from "../../packages/core/test/fake-engine.ts";
import { FakeWorker, file, NEVER } from "../../packages/core/test/fake-worker.ts";
import { slope } from "../bench/figures.ts";
import { FakeInstance } from "../support/fake-instance.ts";
import { heapInUse } from "../support/heap.ts";

afterEach(() => void vi.restoreAllMocks());

interface Costs {
  readonly commits: number;
  readonly events: number;
}

/** What a task of so many actions costs in its store. */
async function costs(steps: readonly Step[]): Promise<Costs> {
  const fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  fake.engine.operation("nothing", {});
  fake.drafts.set("a", { steps });
  const submitted = await fake.submit("a");
  const writes = vi.spyOn(Database.prototype, "write");
  const appends = vi.spyOn(fake.engine.store.events, "append");
  expect(await fake.worker.work(submitted.id, NEVER)).toMatchObject({ state: "succeeded" });
  const costs = { commits: writes.mock.calls.length - appends.mock.calls.length, events: appends.mock.calls.length };
  vi.restoreAllMocks();
  return costs;
}

describe.each([
  ["an ensure action", (index: number) => file(`/${index}`)],
  ["an operation", () => runStep("web1", "nothing")],
])("%s", (_name, step) => {
  test("costs one durable commit and one of its events, however many the task has", async () => {
    const [few, many] = [2, 12];
    const [small, large] = [await costs(steps(few, step)), await costs(steps(many, step))];
    expect((large.commits - small.commits) / (many - few)).toBe(1);
    expect((large.events - small.events) / (many - few)).toBe(1);
  });
});

test("a task costs at most twelve durable commits besides its actions'", async () => {
  expect((await costs([file("/a")])).commits).toBeLessThanOrEqual(13);
});

describe("many tasks, of which some fail, under one signal and with a reader of their events", () => {
  test("leave no listener, no session and no growing heap", { timeout: 60_000 }, async () => {
    const instance = await FakeInstance.open(["web1", "web2"]);
    onTestFinished(async () => instance[Symbol.asyncDispose]());
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _event of instance.hw.events({ signal: stop.signal }));
    })();
    const listening = countListeners();
    const work = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 2) {
        const task = { fails: index % 10 === 8, signal: stop.signal };
        await Promise.all(["web1", "web2"].map(async (server) => instance.task(server, task)));
      }
    };
    await work(100);
    const [listeners, objects] = [listening(), livingObjects()];
    const sizes: (readonly [number, number])[] = [[0, await heapInUse()]];
    for (let worked = 60; worked <= 180; worked += 60) {
      await work(60);
      sizes.push([worked, await heapInUse()]);
    }
    expect(listening()).toBeLessThanOrEqual(listeners);
    expect(getEventListeners(stop.signal, "abort").length).toBeLessThanOrEqual(1);
    expect(livingObjects()).toEqual(objects);
    expect(slope(sizes)).toBeLessThan(4_000);
    stop.abort();
    await reading;
  });
});

function steps(count: number, step: (index: number) => Step): readonly Step[] {
  return Array.from({ length: count }, (_, index) => step(index));
}

/** How many listeners on events there are more than now. */
function countListeners(): () => number {
  let open = 0;
  const { listen } = Events.prototype;
  Events.prototype.listen = function (this: Events, ...args) {
    const stop = listen.apply(this, args);
    open += 1;
    return () => {
      open -= 1;
      stop();
    };
  };
  onTestFinished(() => void (Events.prototype.listen = listen));
  return () => open;
}

/** Counted after a full collection. */
function livingObjects(): readonly number[] {
  return [Session, Journal].map((type) => queryObjects(type, { format: "count" }));
}
