import { array, assert, asyncProperty, constantFrom, record } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lease, LeaseRequest, LeaseStore } from "../../src/contracts/store.ts";
import { ME, OTHER } from "./holders.ts";
import { type OpenHarness, use } from "./harness.ts";
import { running } from "./parts.ts";

const TASKS = ["t1", "t2", "t3", "t4"];
const scope = constantFrom("site/s1", "site/s2", "server/v1");
const mode = constantFrom("shared" as const, "exclusive" as const);
const step = record({
  verb: constantFrom("acquire" as const, "acquire" as const, "release" as const, "heartbeat" as const),
  task: constantFrom(...TASKS),
  holder: constantFrom(ME, OTHER),
  scopes: array(record({ scope, mode }), { minLength: 1, maxLength: 3 }),
});

type Step = {
  verb: "acquire" | "release" | "heartbeat";
  task: string;
  holder: string;
  scopes: readonly LeaseRequest[];
};

/** Who waits for what. */
type Line = Map<string, readonly LeaseRequest[]>;

/** Tasks that the contract puts in the way of the request, as things stand. Written apart from the code that decides. */
function inTheWay(leases: readonly Lease[], line: Line, { task, holder, scopes }: Step): ReadonlySet<string> {
  if (isAnothers(leases, { task, holder })) return new Set([task]);
  const holding = leases.filter((lease) => lease.task !== task && conflict([lease], scopes)).map((lease) => lease.task);
  const own = leases.filter((lease) => lease.task === task);
  const others = [...line].filter(([other]) => other !== task);
  if (others.some(([, wants]) => conflict(own, wants))) return new Set(holding);
  // They were submitted in this order.
  const before = others.filter(([other]) => TASKS.indexOf(other) < TASKS.indexOf(task));
  return new Set([...holding, ...before.filter(([, wants]) => conflict(wants, scopes)).map(([other]) => other)]);
}

function isAnothers(leases: readonly Lease[], { task, holder }: Pick<Step, "task" | "holder">): boolean {
  return leases.some((lease) => lease.task === task && lease.holder !== holder);
}

function conflict(some: readonly LeaseRequest[], others: readonly LeaseRequest[]): boolean {
  return some.some((one) =>
    others.some((other) => one.scope === other.scope && (one.mode === "exclusive" || other.mode === "exclusive")),
  );
}

function excludes(leases: readonly Lease[]): boolean {
  const scopes = Map.groupBy(leases, (lease) => lease.scope);
  return [...scopes.values()].every((some) => some.length === 1 || some.every((lease) => lease.mode === "shared"));
}

/** Takes one step; what of the contract it broke, else null. */
async function broken(leases: LeaseStore, line: Line, step: Step): Promise<string | null> {
  const before = await leases.list();
  if (step.verb === "heartbeat") {
    const has = before.some((lease) => lease.task === step.task && lease.holder === step.holder);
    return (await leases.heartbeat(step.task, step.holder)) === has ? null : "heartbeat";
  }
  if (step.verb === "release") {
    const names = step.scopes.length > 1 ? undefined : step.scopes.map((one) => one.scope);
    await leases.release(step.task, names);
    const left = before.filter((lease) => lease.task !== step.task || names?.includes(lease.scope) === false);
    return JSON.stringify(left) === JSON.stringify(await leases.list()) ? null : "release";
  }
  const result = await leases.acquire(step.task, step.holder, step.scopes);
  const after = await leases.list();
  if (!excludes(after)) return "exclusion";
  const expected = inTheWay(before, line, step);
  if ("blockedBy" in result) {
    const told = new Set(result.blockedBy.map(({ task }) => task));
    if (told.size === 0 || [...told].toSorted().join() !== [...expected].toSorted().join())
      return "blocked by others than it says";
    if (!isAnothers(before, step)) line.set(step.task, step.scopes);
    const waiting = await leases.waiting(step.task);
    const waits = JSON.stringify(waiting) === JSON.stringify(result.blockedBy);
    if (line.has(step.task) ? !waits && !isAnothers(before, step) : waiting !== null) return "place";
    return JSON.stringify(before) === JSON.stringify(after) ? null : "blocked, but changed";
  }
  if (expected.size > 0) return "granted what is forbidden";
  line.delete(step.task);
  if ((await leases.waiting(step.task)) !== null) return "granted, but waiting";
  const highest = Math.max(0, ...before.map((lease) => lease.token));
  const fresh = after.filter((lease) => !before.some((old) => old.scope === lease.scope && old.token === lease.token));
  if (fresh.some((lease) => lease.token <= highest)) return "token did not rise";
  const holds = step.scopes.every((one) =>
    after.some(
      (lease) =>
        lease.task === step.task &&
        lease.holder === step.holder &&
        lease.scope === one.scope &&
        (lease.mode === "exclusive" || one.mode === "shared"),
    ),
  );
  return holds ? null : "not all granted";
}

export function leaseSequencePromises(open: OpenHarness): void {
  describe("any sequence of lease calls", { timeout: 60_000 }, () => {
    it("grants all or none, never two exclusive ones or an exclusive with a shared one, in the order of asking, and blocks only then", async () => {
      const harness = await use(open);
      for (const task of TASKS) await running(harness.store, task);
      const stores = [harness.store.leases, (await harness.reopen()).leases] as const;
      await assert(
        asyncProperty(array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
          for (const task of TASKS) {
            await stores[0].release(task);
            // Granted alone, it waits for nothing.
            await stores[0].acquire(task, ME, []);
            await stores[0].release(task);
          }
          const line: Line = new Map();
          for (const one of steps) {
            expect(await broken(one.holder === ME ? stores[0] : stores[1], line, one)).toBeNull();
          }
        }),
        { numRuns: 100 },
      );
    });
  });
}
