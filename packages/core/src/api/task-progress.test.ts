import { expect, onTestFinished, test } from "vitest";
import { FakeWorker, file, NEVER } from "../../test/fake-worker.ts";
import type { HostwrightEvent } from "../engine/events.ts";
import { NOT_BEGUN, progressAfter, type TaskProgress } from "./task-progress.ts";

const event = (type: HostwrightEvent["type"], payload: object): HostwrightEvent =>
  ({ seq: 1, at: "", task: "t1", type, payload }) as unknown as HostwrightEvent;
const after = (events: readonly HostwrightEvent[]): TaskProgress => events.reduce(progressAfter, NOT_BEGUN);
const started = event("task:started", { actions: 2 });
const first = event("action:started", { action: 0, of: 2, title: "files" });
const done = event("action:finished", { action: 0, title: "files" });
const second = event("action:started", { action: 1, of: 2, title: "installer" });

test("a task that succeeds comes from nothing to all of its actions", () => {
  const transfer = null;
  expect(after([started, first])).toEqual({ phase: "working", done: 0, of: 2, title: "files", transfer });
  expect(after([started, first, done, second])).toEqual({
    phase: "working",
    done: 1,
    of: 2,
    title: "installer",
    transfer,
  });
  const finished = event("action:finished", { action: 1, title: "installer" });
  const over = event("task:finished", { state: "succeeded" });
  expect(after([started, first, done, second, finished, over])).toEqual({
    phase: "over",
    done: 2,
    of: 2,
    title: "",
    transfer,
  });
});

test("one that fails goes back as it is undone", () => {
  const undoing = [started, first, done, second, event("action:failed", { action: 1 })];
  expect(after(undoing)).toMatchObject({ phase: "undoing", done: 1 });
  expect(after([...undoing, event("action:undone", { action: 0, title: "files" })])).toEqual({
    phase: "undoing",
    done: 0,
    of: 2,
    title: "files",
    transfer: null,
  });
});

test("an activation that was never done counts for nothing when it is taken back", () => {
  const three = [event("task:started", { actions: 3 }), first, done, second, event("action:failed", { action: 1 })];
  const activation = event("action:undone", { action: 2, title: "activate" });
  expect(after([...three, activation])).toMatchObject({ done: 1, title: "activate" });
});

test("a transfer tells its bytes as long as it is at work", () => {
  const working = [started, first, event("action:progress", { action: 0, title: "files", bytes: 3, of: 7 })];
  expect(after(working)).toMatchObject({ done: 0, of: 2, title: "files", transfer: { bytes: 3, of: 7 } });
  for (const next of [done, second, event("action:failed", { action: 0 }), event("task:waiting", { position: 1 })])
    expect(after([...working, next]).transfer).toBeNull();
});

test("what says nothing of it changes nothing, and one that goes back into the line waits", () => {
  const working = after([started, first]);
  expect(progressAfter(working, event("task:log", { line: "x" }))).toBe(working);
  expect(progressAfter(working, event("task:waiting", { position: 1 }))).toMatchObject({ phase: "waiting", title: "" });
});

test("a task tells its progress from its beginning to its end, whoever asks when", async () => {
  const fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  fake.drafts.set("a", { steps: [file("/a"), file("/b")] });
  const task = await fake.submit("a");
  await fake.worker.work(task.id, NEVER);
  const told: string[] = [];
  for await (const { phase, done, of } of task.progress()) told.push(`${phase} ${done}/${of}`);
  expect([told[0], told.at(-1)]).toEqual(["waiting 0/0", "over 2/2"]);
  expect(told).toContain("working 1/2");
});
