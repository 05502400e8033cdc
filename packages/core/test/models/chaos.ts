import { HostwrightError } from "../../src/errors/hostwright-error.ts";

/** What goes wrong at the first fitting moment from `at` on: moments are writes to the store and scripts on servers. */
export type Disturbance = { readonly at: number } & (
  | {
      /** Its worker dies: before, after or in the middle of it; or what it had sent arrives late, maybe after others. */
      readonly kind: "die";
      readonly when: "before" | "after" | "half" | "running" | "transit";
      /** Moments until what is in transit arrives. */
      readonly late: number;
    }
  /** A script fails; some of it took effect all the same. */
  | { readonly kind: "fail"; readonly took: "nothing" | "half" | "all"; readonly passing: boolean }
  /** A script comes to no end in time, and goes on after that. */
  | { readonly kind: "hang"; readonly took: "nothing" | "half" }
  /** Somebody cancels; `told` if the worker learns of it at once. */
  | { readonly kind: "cancel"; readonly told: boolean }
  /** Somebody else changes a thing by hand. */
  | { readonly kind: "meddle"; readonly server: number; readonly place: number }
  /** A server does not answer for so many moments. */
  | { readonly kind: "outage"; readonly server: number; readonly moments: number }
  /** A write to the store fails, because it is held too long; `took`: it was made, and only its answer was lost. */
  | { readonly kind: "busy"; readonly took: boolean }
);

export type Moment = "store" | "script";
type At<Kind extends Disturbance["kind"]> = Extract<Disturbance, { readonly kind: Kind }>;

export type Trouble = At<"die" | "fail" | "hang" | "busy">;

/** Thrown through everything that a dead worker would still do. */
export class Death extends Error {
  override readonly name = "Death";
}

/** One worker process. */
export class Life {
  readonly holder: string;
  dead = false;

  constructor(holder: string) {
    this.holder = holder;
  }

  /** A dead worker does nothing more. */
  require(): void {
    if (this.dead) throw new Death(`${this.holder} is dead`);
  }

  die(): never {
    this.dead = true;
    throw new Death(`${this.holder} died`);
  }
}

interface Late {
  readonly at: number;
  readonly arrive: () => unknown;
}

/** Counts the moments of a case and lets its disturbances happen. */
export class Chaos {
  /** What is done for those that are nobody's failure: a cancel, a change by hand. */
  onCancel: (told: boolean) => void = () => undefined;
  onMeddle: (disturbance: At<"meddle">) => void = () => undefined;
  moment = 0;
  /** What was done at each moment, by whom, and what went wrong then. */
  readonly trail: string[] = [];
  readonly #waiting: Disturbance[];
  readonly #late: Late[] = [];
  readonly #outages = new Map<number, number>();

  constructor(disturbances: readonly Disturbance[]) {
    this.#waiting = disturbances.toSorted((a, b) => a.at - b.at);
  }

  /** The next moment, with what goes wrong in it. */
  next(moment: Moment, what: string): Trouble | null {
    this.moment++;
    const trouble = this.#next(moment);
    this.trail.push(`${this.moment} ${what}${trouble === null ? "" : ` (${trouble.kind})`}`);
    return trouble;
  }

  #next(moment: Moment): Trouble | null {
    for (const late of this.#late.filter(({ at }) => at <= this.moment)) this.#arrive(late);
    for (;;) {
      const index = this.#waiting.findIndex((one) => one.at <= this.moment && fits(one, moment));
      if (index < 0) return null;
      const [one] = this.#waiting.splice(index, 1);
      if (one === undefined) return null;
      if (one.kind === "cancel" || one.kind === "meddle") this.trail.push(`${this.moment} ${one.kind}`);
      if (one.kind === "cancel") this.onCancel(one.told);
      else if (one.kind === "meddle") this.onMeddle(one);
      else if (one.kind === "outage") this.#outages.set(one.server, this.moment + one.moments);
      else return one;
    }
  }

  isDown(server: number): boolean {
    return (this.#outages.get(server) ?? 0) > this.moment;
  }

  later(moments: number, arrive: () => unknown): void {
    this.#late.push({ at: this.moment + moments, arrive });
  }

  /** Nothing goes wrong any more, and all that was sent arrives. */
  calm(): void {
    this.#waiting.splice(0);
    this.#outages.clear();
    for (const late of this.#late.slice()) this.#arrive(late);
  }

  #arrive(late: Late): void {
    this.#late.splice(this.#late.indexOf(late), 1);
    this.trail.push(`${this.moment} what was in transit arrives`);
    late.arrive();
  }
}

function fits({ kind }: Disturbance, moment: Moment): boolean {
  if (kind === "fail" || kind === "hang") return moment === "script";
  return kind !== "busy" || moment === "store";
}

export function failure(passing: boolean): HostwrightError {
  return passing
    ? new HostwrightError("HW_SSH_LOST", "the connection was lost", { retryable: true })
    : new HostwrightError("HW_COMMAND_FAILED", "the disk is full");
}
