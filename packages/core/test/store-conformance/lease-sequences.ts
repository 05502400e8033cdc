import { array, assert, asyncProperty, constantFrom, record } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lease, LeaseRequest, LeaseStore } from "../../src/contracts/store.ts";
import { ME, OTHER } from "./holders.ts";
import { type OpenHarness, use } from "./harness.ts";

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

/** Does the contract forbid the request, as things stand? Written apart from the code that decides. */
function isForbidden(leases: readonly Lease[], { task, holder, scopes }: Step): boolean {
  return leases.some((lease) => {
    if (lease.task === task) return lease.holder !== holder;
    return scopes.some((one) => one.scope === lease.scope && (one.mode === "exclusive" || lease.mode === "exclusive"));
  });
}

function excludes(leases: readonly Lease[]): boolean {
  const scopes = Map.groupBy(leases, (lease) => lease.scope);
  return [...scopes.values()].every((some) => some.length === 1 || some.every((lease) => lease.mode === "shared"));
}

/** Takes one step; what of the contract it broke, else null. */
async function broken(leases: LeaseStore, step: Step): Promise<string | null> {
  const before = await leases.list();
  if (step.verb === "heartbeat") {
    const has = before.some((lease) => lease.task === step.task && lease.holder === step.holder);
    return (await leases.heartbeat(step.task, step.holder)) === has ? null : "heartbeat";
  }
  if (step.verb === "release") {
    const names = step.scopes.map((one) => one.scope);
    await leases.release(step.task, names);
    const left = before.filter((lease) => lease.task !== step.task || !names.includes(lease.scope));
    return JSON.stringify(left) === JSON.stringify(await leases.list()) ? null : "release";
  }
  const result = await leases.acquire(step.task, step.holder, step.scopes);
  const after = await leases.list();
  if (!excludes(after)) return "exclusion";
  if ("blockedBy" in result) {
    if (!isForbidden(before, step) || result.blockedBy.length === 0) return "blocked without need";
    return JSON.stringify(before) === JSON.stringify(after) ? null : "blocked, but changed";
  }
  if (isForbidden(before, step)) return "granted what is forbidden";
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
    it("grants all or none, never two exclusive ones or an exclusive with a shared one, and blocks only then", async () => {
      const harness = await use(open);
      const stores = [harness.store.leases, (await harness.reopen()).leases] as const;
      await assert(
        asyncProperty(array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
          for (const task of TASKS) await stores[0].release(task);
          for (const one of steps) expect(await broken(one.holder === ME ? stores[0] : stores[1], one)).toBeNull();
        }),
        { numRuns: 100 },
      );
    });
  });
}
