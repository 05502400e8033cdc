import { setImmediate } from "node:timers";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { FakeEngine, ensureStep } from "../../../test/fake-engine.ts";
import { FakeInventory } from "../../../test/fake-inventory.ts";
import { AT, changes, running } from "../../../test/store-conformance/parts.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import type { AnyResourceType } from "../../contracts/resource.ts";
import { verify } from "../../tasks/verify.ts";
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

describe("the planning of a server with 500 sites", () => {
  /** Adds sites up to so many of which nothing stands, in one transaction: a commit each would take the test's time. */
  async function fill(inventory: FakeInventory, from: number, to: number): Promise<void> {
    const { store } = inventory.engine;
    const known = await store.records.get("site", "s1");
    const put = Array.from({ length: to - from }, (_, index) => {
      const [id, domain] = [`n${from + index}`, `n${from + index}.example.com`];
      return { kind: "site", id, name: domain, value: { ...(known?.value as object), id, domain } } as const;
    });
    await running(store, `fill${to}`);
    await store.journal.commit(
      `fill${to}`,
      AT,
      changes({ put: put.map((one) => ({ ...one, expect: 0, claims: [] })) }),
    );
  }

  /** Milliseconds of processor time, whatever else the machine does, in the longest turn of the event loop. */
  async function longestTurn(work: () => Promise<unknown>): Promise<number> {
    const used = (): number => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    };
    let [longest, last, isOver] = [0, used(), false];
    const turn = (): void => {
      const now = used();
      longest = Math.max(longest, now - last);
      last = used();
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await work();
    isOver = true;
    return Math.max(longest, used() - last);
  }

  /** A collection of garbage, which may fall into any turn, is not what is asked for: of three tries the best. */
  async function shortestOf(work: () => Promise<unknown>): Promise<number> {
    return Math.min(await longestTurn(work), await longestTurn(work), await longestTurn(work));
  }

  test("holds the event loop about as long at once as that of 50", async () => {
    await using inventory = await FakeInventory.open();
    const plan = async (): Promise<PlanData> => inventory.plan(inventory.plugins, verify("web1"));
    await fill(inventory, 0, 50);
    const few = await shortestOf(plan);
    await fill(inventory, 50, 500);
    const many = await shortestOf(plan);
    // Ten times as many sites at once would take ten times as long.
    expect(many).toBeLessThan(4 * Math.max(few, SPIN_MS));
  });
});
