import { array, assert, constantFrom, integer, property, record, shuffledSubarray } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lease, LeaseRequest, TaskState } from "../contracts/store.ts";
import { decideLeases, firstFree, type LeaseDecision, type StandingLease, type Waiting } from "./lease-rules.ts";

/** In the order of their submission. */
const TASKS = ["t0", "t1", "t2", "t3", "t4", "t5"] as const;
type Verb = "submit" | "claim" | "next" | "end" | "attention" | "resolve" | "die" | "recover";

/** A store in memory, with what the test needs to know beside it. */
class World {
  leases: Lease[] = [];
  readonly states = new Map<string, TaskState>();
  readonly holders = new Map<string, string>(TASKS.map((task) => [task, `${task}-0`]));
  readonly wants = new Map<string, readonly LeaseRequest[]>();
  readonly dead = new Set<string>();
  #token = 0;

  get standing(): readonly StandingLease[] {
    return this.leases.map((lease) => ({
      lease,
      state: this.states.get(lease.task) ?? null,
      dead: this.dead.has(lease.holder),
    }));
  }

  get line(): readonly Waiting[] {
    return TASKS.flatMap((task, place) => {
      const scopes = this.wants.get(task);
      return scopes === undefined ? [] : [{ task, place, state: this.states.get(task) ?? "queued", scopes }];
    });
  }

  decide(task: string, holder: string, scopes: readonly LeaseRequest[]): LeaseDecision {
    const place = TASKS.findIndex((one) => one === task);
    return decideLeases(
      this.standing,
      this.line,
      { task, holder, scopes, place, state: "running", lifeMs: 60_000 },
      this.#token + 1,
    );
  }

  /** True when it was free to go. */
  claim(task: string): boolean {
    const scopes = this.wants.get(task) ?? [];
    const decision = this.decide(task, this.holder(task), scopes);
    if ("blockedBy" in decision) {
      expect(decision.blockedBy).not.toEqual([]);
      return false;
    }
    expect(this.cheated(task, scopes)).toEqual([]);
    this.#grant(task, decision);
    this.states.set(task, "running");
    this.wants.delete(task);
    return true;
  }

  holder(task: string): string {
    return this.holders.get(task) ?? "";
  }

  end(task: string): void {
    this.leases = this.leases.filter((lease) => lease.task !== task);
    this.states.delete(task);
  }

  /** Those that were submitted before, for the same, and wait for nobody who needs attention. */
  cheated(task: string, scopes: readonly LeaseRequest[]): readonly string[] {
    const mine = TASKS.findIndex((one) => one === task);
    const stuck = this.leases.filter((lease) => this.states.get(lease.task) === "needs-attention");
    return this.line
      .filter((one) => one.place < mine && !conflict(one.scopes, stuck) && conflict(one.scopes, scopes))
      .map((one) => one.task);
  }

  overlaps(): readonly Lease[] {
    return this.leases.filter((one) =>
      conflict(
        [one],
        this.leases.filter((other) => other.task !== one.task),
      ),
    );
  }

  take(verb: Verb, task: string, scopes: readonly LeaseRequest[]): void {
    const state = this.states.get(task);
    const alive = !this.dead.has(this.holder(task));
    if (verb === "submit" && state === undefined && alive) {
      this.states.set(task, "queued");
      this.wants.set(task, scopes);
    }
    if (verb === "claim" && state === "queued") this.claim(task);
    if (verb === "next") this.next();
    if (verb === "end" && state === "running" && alive) this.end(task);
    if (verb === "attention" && state === "running" && alive) this.states.set(task, "needs-attention");
    if (verb === "resolve" && state === "needs-attention") this.end(task);
    if (verb === "die" && state === "running") this.dead.add(this.holder(task));
    if (verb === "recover" && state === "running" && !alive) this.recover(task);
  }

  /** Whoever is told to be next is the first of all that are free, and gets what it wants. */
  next(): string | null {
    const free = this.line.filter(
      ({ task, state, scopes }) => state === "queued" && "granted" in this.decide(task, this.holder(task), scopes),
    );
    const next = firstFree(this.standing, this.line);
    expect(next).toBe(free[0]?.task ?? null);
    if (next !== null) expect(this.claim(next)).toBe(true);
    return next;
  }

  recover(task: string): void {
    this.holders.set(task, `${this.holder(task)}+`);
    const decision = this.decide(task, this.holder(task), [{ scope: `task/${task}`, mode: "exclusive" }]);
    if ("blockedBy" in decision) throw new Error(`${task} cannot be recovered`);
    this.#grant(task, decision);
  }

  #grant(task: string, decision: Extract<LeaseDecision, { readonly granted: unknown }>): void {
    this.#token++;
    const goes = (lease: Lease): boolean => lease.task === task || decision.dropped.includes(lease);
    this.leases = [...this.leases.filter((lease) => !goes(lease)), ...decision.own];
    expect(this.overlaps()).toEqual([]);
  }
}

function conflict(some: readonly LeaseRequest[], others: readonly LeaseRequest[]): boolean {
  return some.some((one) =>
    others.some((other) => one.scope === other.scope && (one.mode === "exclusive" || other.mode === "exclusive")),
  );
}

const step = record({
  verb: constantFrom<Verb>(
    "submit",
    "submit",
    "submit",
    "claim",
    "next",
    "next",
    "end",
    "end",
    "attention",
    "resolve",
    "die",
    "recover",
  ),
  task: constantFrom(...TASKS),
  scopes: array(
    record({
      scope: constantFrom("site/s1", "site/s2", "server/v1", "server/v2"),
      mode: constantFrom("shared" as const, "exclusive" as const),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

describe("whatever is submitted, claimed, ended, left to an operator, killed and recovered", () => {
  it("no two conflicting leases stand, nobody overtakes who was submitted before for the same, and the first who is free is next", () => {
    assert(
      property(array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        for (const { verb, task, scopes } of steps) world.take(verb, task, scopes);
      }),
      { numRuns: 3000 },
    );
  });

  it("all are served in the end, in whatever order they are resolved", () => {
    const order = shuffledSubarray([...TASKS], { minLength: TASKS.length });
    assert(
      property(array(step, { maxLength: 40 }), order, integer({ min: 0, max: 3 }), (steps, ending, attention) => {
        const world = new World();
        for (const { verb, task, scopes } of steps) world.take(verb, task, scopes);
        for (const task of TASKS) world.take("recover", task, []);
        // Some stay for the operator as long as anybody else can be served.
        for (const task of TASKS.slice(attention)) world.take("resolve", task, []);
        for (let rounds = 0; world.wants.size > 0; rounds++) {
          expect(rounds).toBeLessThanOrEqual(3 * TASKS.length);
          for (const task of ending) world.take("end", task, []);
          if (world.next() === null) for (const task of ending) world.take("resolve", task, []);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
