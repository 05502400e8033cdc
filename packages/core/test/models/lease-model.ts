import * as fc from "fast-check";
import type { Lease, LeaseRequest, TaskEnding, TaskState } from "../../src/contracts/store.ts";

const TASKS = ["t1", "t2", "t3", "t4", "t5"] as const;
const HOLDERS = ["h1", "h2", "h3"] as const;

export type LeaseStep =
  | { readonly verb: "ask"; readonly task: string; readonly holder: string; readonly scopes: readonly LeaseRequest[] }
  | { readonly verb: "release"; readonly task: string; readonly scopes: readonly string[] | null }
  | { readonly verb: "beat"; readonly task: string; readonly holder: string }
  | { readonly verb: "die"; readonly holder: string }
  | { readonly verb: "end"; readonly task: string; readonly state: TaskEnding["state"] };

const task = fc.constantFrom(...TASKS);
const holder = fc.constantFrom(...HOLDERS);
const scope = fc.constantFrom("site/s1", "site/s2", "server/v1");
const request = fc.record({ scope, mode: fc.constantFrom("shared" as const, "exclusive" as const) });
const ask = fc.record({
  verb: fc.constant("ask" as const),
  task,
  holder,
  scopes: fc.array(request, { minLength: 1, maxLength: 3 }),
});

export const leaseSteps: fc.Arbitrary<LeaseStep[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: ask },
    {
      weight: 2,
      arbitrary: fc.record({
        verb: fc.constant("release" as const),
        task,
        scopes: fc.option(fc.array(scope, { maxLength: 2 })),
      }),
    },
    { weight: 1, arbitrary: fc.record({ verb: fc.constant("beat" as const), task, holder }) },
    { weight: 1, arbitrary: fc.record({ verb: fc.constant("die" as const), holder }) },
    {
      weight: 1,
      arbitrary: fc.record({
        verb: fc.constant("end" as const),
        task,
        state: fc.constantFrom<TaskEnding["state"][]>("succeeded", "undone", "needs-attention"),
      }),
    },
  ),
  { maxLength: 20 },
);

interface Held {
  readonly scope: string;
  readonly task: string;
  mode: Lease["mode"];
  holder: string;
}

interface Waiting {
  readonly task: string;
  readonly scopes: readonly LeaseRequest[];
}

/** Who has what, and who waits, in the order of submission, as plainly as it can be said. All tasks run until they are ended. */
export class LeaseModel {
  held: Held[] = [];
  queue: Waiting[] = [];
  readonly dead = new Set<string>();
  readonly states = new Map<string, TaskState>(TASKS.map((id) => [id, "running"]));

  /** Does the contract grant it, as things stand? */
  grants(want: Extract<LeaseStep, { verb: "ask" }>): boolean {
    const mine = this.held.filter((one) => one.task === want.task);
    if (this.#isAnothers(mine, want)) return false;
    const state = this.states.get(want.task);
    if (mine.length === 0 && state !== "running" && state !== "needs-attention") return false;
    if (this.held.some((one) => this.#blocks(one, want))) return false;
    const others = this.queue.filter((one) => one.task !== want.task && this.#holdsUp(one));
    // Somebody waits for what it has: else each would wait for the other.
    if (others.some((one) => mine.some((has) => one.scopes.some((asked) => clash(has, asked))))) return true;
    const before = others.filter((one) => placeOf(one.task) < placeOf(want.task));
    return !before.some((one) => one.scopes.some((asked) => want.scopes.some((wanted) => clash(asked, wanted))));
  }

  take(want: Extract<LeaseStep, { verb: "ask" }>): void {
    const gone = this.held.filter((one) => one.task !== want.task && want.scopes.some((wanted) => clash(one, wanted)));
    this.held = this.held.filter((one) => !gone.some((lost) => lost.task === one.task && lost.holder === one.holder));
    for (const one of this.held) if (one.task === want.task) one.holder = want.holder;
    for (const { scope: name, mode } of want.scopes) {
      const has = this.held.find((one) => one.task === want.task && one.scope === name);
      if (has === undefined) this.held.push({ scope: name, mode, task: want.task, holder: want.holder });
      else if (mode === "exclusive") has.mode = mode;
    }
    this.queue = this.queue.filter((one) => one.task !== want.task);
  }

  wait(want: Extract<LeaseStep, { verb: "ask" }>): void {
    const mine = this.held.filter((one) => one.task === want.task);
    if (this.#isAnothers(mine, want) || this.states.get(want.task) !== "running") return;
    this.queue = this.queue.filter((one) => one.task !== want.task);
    this.queue.push({ task: want.task, scopes: want.scopes });
  }

  release(id: string, scopes: readonly string[] | null): void {
    this.held = this.held.filter((one) => one.task !== id || (scopes !== null && !scopes.includes(one.scope)));
  }

  end(id: string, state: TaskState): void {
    this.states.set(id, state);
    this.queue = this.queue.filter((one) => one.task !== id);
  }

  /** All that is held, as text. */
  shown(): readonly string[] {
    return this.held.map((one) => `${one.scope} ${one.mode} ${one.task} ${one.holder}`).toSorted();
  }

  /** Somebody who lives works that task. */
  #isAnothers(mine: readonly Held[], { holder: asks }: Extract<LeaseStep, { verb: "ask" }>): boolean {
    return mine.some((one) => one.holder !== asks && !this.dead.has(one.holder));
  }

  #blocks(one: Held, want: Extract<LeaseStep, { verb: "ask" }>): boolean {
    if (one.task === want.task || !want.scopes.some((wanted) => clash(one, wanted))) return false;
    const state = this.states.get(one.task);
    return !this.dead.has(one.holder) || state === "running" || state === "needs-attention";
  }

  #holdsUp(one: Waiting): boolean {
    const stuck = this.held.filter((has) => has.task !== one.task && this.states.get(has.task) === "needs-attention");
    return !stuck.some((has) => one.scopes.some((asked) => clash(has, asked)));
  }
}

function clash(a: LeaseRequest, b: LeaseRequest): boolean {
  return a.scope === b.scope && (a.mode === "exclusive" || b.mode === "exclusive");
}

function placeOf(id: string): number {
  return (TASKS as readonly string[]).indexOf(id);
}
