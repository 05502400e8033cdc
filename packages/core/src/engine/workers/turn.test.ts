import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { FakeWorker } from "../../../test/fake-worker.ts";
import type { Blocker } from "../../contracts/store.ts";
import { Turn, type WaitingTold } from "./turn.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

const line = (count: number, from = 0): readonly Blocker[] =>
  Array.from({ length: count }, (_, n) => ({ task: `t${from + n}`, scope: "site/s1", waiting: true, dead: false }));

/** What one tells that is at this place, as all in front of it end one after the other. */
async function told(place: number): Promise<readonly WaitingTold[]> {
  const emit = vi.spyOn(fake.engine.events, "emit").mockResolvedValue(true);
  using turn = new Turn(fake.engine.events, "t1");
  for (let front = place - 1; front > 0; front--) await turn.tell(line(front, place - front));
  const all = emit.mock.calls.map(([, , payload]) => payload as WaitingTold);
  emit.mockRestore();
  return all;
}

describe("a task in line tells its place", () => {
  test("as often as it changes when it is near, and now and then when it is far behind", async () => {
    expect((await told(10)).map(({ position }) => position)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2]);
    const far = await told(1_000);
    expect(far.length).toBeLessThan(120);
    expect(far.at(0)?.position).toBe(1_000);
    expect(far.at(-1)?.position).toBe(2);
  });

  test("with no more of what is in the way than a person reads", async () => {
    const [first] = await told(1_000);
    expect(first?.blockedBy).toHaveLength(20);
    expect(first?.blockedBy[0]).toEqual({ task: "t1", scope: "site/s1" });
  });
});

test("of what is in line for a scope only the first is helped on, and whatever has the scope", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  using turn = new Turn(fake.engine.events, "t1");
  const holding = { task: "dead", scope: "site/s1", waiting: false, dead: true };
  const all = [
    holding,
    ...line(50, 100),
    { ...holding, task: "other", scope: "server/v1", waiting: true, dead: false },
  ];
  await turn.tell(all);
  expect(turn.helpless(all)).toEqual(["dead"]);
  vi.advanceTimersByTime(1_500);
  expect(turn.helpless(all)).toEqual(["dead", "t100", "other"]);
});

test("the end of a task wakes those that are near, and no others", async () => {
  const woken = async (place: number): Promise<boolean> => {
    using turn = new Turn(fake.engine.events, "t1");
    await turn.tell(line(place - 1));
    const stop = new AbortController();
    let isWoken = false;
    const waiting = turn.wait(stop.signal).then(() => (isWoken = !stop.signal.aborted));
    await fake.engine.events.emit("t0", "task:finished", { state: "undone", error: null, residue: [] });
    await new Promise((resolve) => setTimeout(resolve, 20));
    stop.abort();
    await waiting;
    return isWoken;
  };
  expect([await woken(2), await woken(10), await woken(11), await woken(500)]).toEqual([true, true, false, false]);
});
