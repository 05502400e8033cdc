import { array, assert, constantFrom, integer, property, record, shuffledSubarray } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lease, LeasePlace, LeaseRequest, TaskState } from "../contracts/store.ts";
import { decideLeases, type LeaseDecision } from "./lease-rules.ts";

const TASKS = ["t0", "t1", "t2", "t3", "t4", "t5"] as const;
/** The one that may ask for more while it holds something: two of them could wait for each other, as the engine never does. */
const UPGRADER = "t0";
type Verb = "ask" | "again" | "end" | "attention" | "resolve" | "die" | "recover";

/** A store in memory, with what the test needs to know beside it. */
class World {
  leases: Lease[] = [];
  places: LeasePlace[] = [];
  readonly states = new Map<string, TaskState>(TASKS.map((task) => [task, "running"]));
  readonly holders = new Map<string, string>(TASKS.map((task) => [task, `${task}-0`]));
  readonly wants = new Map<string, readonly LeaseRequest[]>();
  readonly dead = new Set<string>();
  #token = 0;
  #place = 0;

  decide(task: string, holder: string, scopes: readonly LeaseRequest[]): LeaseDecision {
    const about = (one: { readonly task: string; readonly holder: string }) => ({
      state: this.states.get(one.task) ?? null,
      dead: this.dead.has(one.holder),
    });
    return decideLeases(
      this.leases.map((lease) => ({ lease, ...about(lease) })),
      this.places.map((place) => ({ place, ...about(place) })),
      { task, holder, scopes },
      this.#token + 1,
    );
  }

  /** Asks until it is granted for what it first asked for. True when it was. */
  ask(task: string): boolean {
    const scopes = this.wants.get(task) ?? [];
    const holder = this.holder(task);
    const decision = this.decide(task, holder, scopes);
    if ("blockedBy" in decision) {
      expect(decision.blockedBy).not.toEqual([]);
      if (decision.place !== null) {
        const place = this.places.find((one) => one.task === task)?.place ?? ++this.#place;
        this.places = [...this.places.filter((one) => one.task !== task), { ...decision.place, place, heartbeat: 0 }];
      }
      expect(this.decide(task, holder, scopes)).toEqual({ blockedBy: decision.blockedBy, place: null });
      return false;
    }
    expect(this.cheated(task, scopes)).toEqual([]);
    this.#token++;
    const goes = (lease: Lease): boolean => lease.task === task || decision.dropped.includes(lease);
    this.leases = [...this.leases.filter((lease) => !goes(lease)), ...decision.own];
    this.places = this.places.filter((one) => !decision.left.includes(one.task));
    this.wants.delete(task);
    expect(this.overlaps()).toEqual([]);
    return true;
  }

  holder(task: string): string {
    return this.holders.get(task) ?? "";
  }

  holds(task: string): boolean {
    return this.leases.some((lease) => lease.task === task);
  }

  isDead(task: string): boolean {
    return this.dead.has(this.holder(task));
  }

  end(task: string): void {
    this.leases = this.leases.filter((lease) => lease.task !== task);
    this.places = this.places.filter((place) => place.task !== task);
    this.wants.delete(task);
    this.states.set(task, "running");
  }

  /** Those that waited in front, for the same, could be served and did not wait for the task itself. */
  cheated(task: string, scopes: readonly LeaseRequest[]): readonly string[] {
    const own = this.leases.filter((lease) => lease.task === task);
    const mine = this.places.find((one) => one.task === task)?.place ?? Infinity;
    const live = this.places.filter((one) => {
      const stuck = this.leases.filter((lease) => this.states.get(lease.task) === "needs-attention");
      return one.task !== task && !this.dead.has(one.holder) && !conflict(one.scopes, stuck);
    });
    if (live.some((one) => conflict(one.scopes, own))) return [];
    return live.filter((one) => one.place < mine && conflict(one.scopes, scopes)).map((one) => one.task);
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
    const free = !this.isDead(task) && this.states.get(task) === "running";
    if (verb === "ask" && free && !this.wants.has(task) && (task === UPGRADER || !this.holds(task))) {
      this.wants.set(task, scopes);
      this.ask(task);
    }
    if (verb === "again" && free && this.wants.has(task)) this.ask(task);
    if (verb === "end" && free && !this.wants.has(task)) this.end(task);
    if (verb === "attention" && free && this.holds(task) && !this.wants.has(task)) {
      this.states.set(task, "needs-attention");
    }
    if (verb === "resolve" && this.states.get(task) === "needs-attention") this.end(task);
    if (verb === "die") this.dead.add(this.holder(task));
    if (verb === "recover") this.recover(task);
  }

  recover(task: string): void {
    if (!this.isDead(task) || this.states.get(task) !== "running") return;
    this.holders.set(task, `${this.holder(task)}+`);
    const before = this.leases.filter((lease) => lease.task === task);
    if (before.length === 0) return;
    const decision = this.decide(task, this.holder(task), [{ scope: `task/${task}`, mode: "exclusive" }]);
    if ("blockedBy" in decision) throw new Error(`${task} cannot be recovered`);
    this.leases = [...this.leases.filter((lease) => lease.task !== task), ...decision.own];
  }
}

function conflict(some: readonly LeaseRequest[], others: readonly LeaseRequest[]): boolean {
  return some.some((one) =>
    others.some((other) => one.scope === other.scope && (one.mode === "exclusive" || other.mode === "exclusive")),
  );
}

const step = record({
  verb: constantFrom<Verb>(
    "ask",
    "ask",
    "ask",
    "again",
    "again",
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

describe("whatever is asked, ended, left to an operator, killed and recovered", () => {
  it("no two conflicting leases stand, nobody overtakes who waits for the same, and asking again changes nothing", () => {
    assert(
      property(array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        for (const { verb, task, scopes } of steps) world.take(verb, task, scopes);
      }),
      { numRuns: 3000 },
    );
  });

  it("all are served in the end, and of those that wait the first one is next, in whatever order they ask", () => {
    const order = shuffledSubarray([...TASKS], { minLength: TASKS.length });
    assert(
      property(array(step, { maxLength: 40 }), order, integer({ min: 0, max: 3 }), (steps, asking, attention) => {
        const world = new World();
        for (const { verb, task, scopes } of steps) world.take(verb, task, scopes);
        for (const task of TASKS) {
          world.recover(task);
          // Some stay for the operator as long as anybody else can be served.
          if (TASKS.indexOf(task) >= attention) world.take("resolve", task, []);
        }
        // A place counts once its new holder has asked.
        for (const task of TASKS) world.take("again", task, []);
        for (let rounds = 0; world.wants.size > 0; rounds++) {
          expect(rounds).toBeLessThanOrEqual(2 * TASKS.length);
          for (const task of TASKS) world.take("end", task, []);
          const before = world.wants.size;
          const stuck = world.leases.filter((lease) => world.states.get(lease.task) === "needs-attention");
          const canBeServed = world.places.filter((one) => world.wants.has(one.task) && !conflict(one.scopes, stuck));
          const first = canBeServed.toSorted((a, b) => a.place - b.place)[0];
          const hasAnother = world.wants.has(UPGRADER) && world.holds(UPGRADER);
          for (const task of asking) world.take("again", task, []);
          if (first === undefined) for (const task of TASKS) world.take("resolve", task, []);
          else {
            expect(world.wants.size).toBeLessThan(before);
            if (!hasAnother) expect(world.wants.has(first.task)).toBe(false);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
