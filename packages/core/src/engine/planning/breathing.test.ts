import { setImmediate } from "node:timers";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { FakeEngine, ensureStep } from "../../../test/fake-engine.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import type { AnyResourceType } from "../../contracts/resource.ts";
import { openPlan, planHash, sealPlan } from "./seal-plan.ts";
import type { PlanData } from "./plan.ts";
import type { EnsureStep } from "../../contracts/steps.ts";

/** Longer than what is worked in one turn of the event loop. */
const SPIN_MS = 10;

let engine: FakeEngine;
let turns: number;
let seen: Map<string, number[]>;

/** Takes its time, and notes in which turn that was. */
function slow<T extends (...given: never[]) => unknown>(name: string, work: T): T {
  return ((...given) => {
    const until = performance.now() + SPIN_MS;
    while (performance.now() < until);
    seen.set(name, [...(seen.get(name) ?? []), turns]);
    return work(...given);
  }) as T;
}

beforeEach(async () => {
  [turns, seen] = [0, new Map()];
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const world = new FakeWorld();
  engine = await FakeEngine.open(world, [world.type("file")]);
  onTestFinished(async () => {
    over = true;
    await engine[Symbol.asyncDispose]();
  });
});

const steps = (count: number, prefix = ""): EnsureStep => {
  const items = Array.from({ length: count }, (_, index) => ({
    type: "file",
    spec: { key: `/${index}`, value: `${prefix}${index}` },
    owner: "site/s1",
  }));
  return ensureStep("web1", items);
};

describe("the host's event loop turns between two things", () => {
  test.each(["desired", "identity", "showSpec"] as const)("of which a plan asks the %s", async (part) => {
    const type: AnyResourceType = engine.registry.resourceType("file");
    const work = type[part].bind(type) as (...given: never[]) => never;
    vi.spyOn(type, part).mockImplementation(slow(part, work) as never);
    await engine.carryOut(steps(8));
    const noted = seen.get(part) ?? [];
    expect(noted.length).toBeGreaterThanOrEqual(8);
    // One thing may be asked about twice in a turn: for what it is to be, and for a hash of that.
    const most = Math.max(
      ...Map.groupBy(noted, (turn) => turn)
        .values()
        .map((list) => list.length),
    );
    expect(most).toBeLessThanOrEqual(3);
  });
});

describe("a plan of many changes", () => {
  const planned = async (): Promise<PlanData> => engine.plan(steps(5000, "x".repeat(200)));

  test("is written, read and hashed in small pieces, and is the same afterwards", async () => {
    const plan = await planned();
    const [stringify, parse] = [vi.spyOn(JSON, "stringify"), vi.spyOn(JSON, "parse")];
    const sealed = await sealPlan(engine.box, plan);
    const opened = await openPlan(engine.box, { id: plan.task, plan: sealed });
    await planHash(plan);
    const lengths = [
      ...stringify.mock.results.map(({ value }) => String(value).length),
      ...parse.mock.calls.map(([text]) => text.length),
    ];
    vi.restoreAllMocks();
    expect(opened).toEqual(plan);
    expect(JSON.stringify(plan).length).toBeGreaterThan(2_000_000);
    expect(lengths.reduce((most, length) => Math.max(most, length), 0)).toBeLessThan(200_000);
    expect(Object.isFrozen(opened.actions[0])).toBe(true);
  });
});
