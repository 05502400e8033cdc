import * as fc from "fast-check";
import type { Disturbance } from "./chaos.ts";
import { RANKS, type TypeName } from "./model-types.ts";

export const SERVERS = ["web0", "web1", "db0"] as const;
export const NAMES = ["a", "b", "c", "shared"] as const;
const TYPES = Object.keys(RANKS) as TypeName[];
/** Where somebody may meddle: a unit takes up its file again whatever it was, so that it is not among them. */
export const PLACES: readonly string[] = TYPES.filter((type) => type !== "unit").flatMap((type) =>
  NAMES.map((name) => `${type} ${name}`),
);

export interface Thing {
  readonly type: TypeName;
  readonly name: (typeof NAMES)[number];
  readonly value: string;
}

/** What stands on a server before, and who has it registered. */
export interface StartThing extends Thing {
  readonly server: number;
  readonly holder: "own" | "other" | "both" | "nobody";
}

export type ModelStep =
  | {
      readonly kind: "ensure";
      readonly server: number;
      readonly items: readonly Thing[];
      /** Types of the owner's things that are removed when nothing declares them. */
      readonly remove: readonly TypeName[];
      readonly late: boolean;
    }
  | {
      readonly kind: "run";
      readonly server: number;
      readonly when: "always" | "changed";
      readonly unclear: boolean;
      readonly late: boolean;
    };

/** A starting world, a task and all that goes wrong while it is worked. */
export interface Case {
  readonly kind: "plain" | "server" | "install" | "delete";
  readonly start: readonly StartThing[];
  readonly steps: readonly ModelStep[];
  readonly disturbances: readonly Disturbance[];
  /** Is the request carried out once more when it was undone? */
  readonly again: boolean;
}

const server = fc.constantFrom(0, 0, 1, 2);
const thing = {
  type: fc.constantFrom(...TYPES),
  name: fc.constantFrom(...NAMES),
  value: fc.constantFrom("v1", "v2"),
};
const start = fc.record({
  ...thing,
  server,
  holder: fc.constantFrom<StartThing["holder"][]>("own", "own", "own", "own", "both", "other", "nobody"),
});
const ensure = fc.record({
  kind: fc.constant("ensure" as const),
  server,
  items: fc.array(fc.record(thing), { maxLength: 5 }),
  remove: fc.constantFrom<(readonly TypeName[])[]>([], TYPES, TYPES, ["file", "unit"]),
  late: fc.constantFrom(false, false, true),
});
const run = fc.record({
  kind: fc.constant("run" as const),
  server,
  when: fc.constantFrom("always" as const, "changed" as const),
  unclear: fc.constantFrom(false, false, false, true),
  late: fc.constantFrom(false, false, true),
});

const at = fc.nat(40);
const die = fc.record({
  at,
  kind: fc.constant("die" as const),
  when: fc.constantFrom("before" as const, "after" as const, "half" as const, "running" as const, "transit" as const),
  late: fc.nat(25),
});
const fail = fc.record({
  at,
  kind: fc.constant("fail" as const),
  took: fc.constantFrom("nothing" as const, "half" as const, "all" as const),
  passing: fc.boolean(),
});
const others: readonly fc.Arbitrary<Disturbance>[] = [
  fc.record({ at, kind: fc.constant("hang" as const), took: fc.constantFrom("nothing" as const, "half" as const) }),
  fc.record({ at, kind: fc.constant("cancel" as const), told: fc.boolean() }),
  fc.record({ at, kind: fc.constant("meddle" as const), server, place: fc.nat(PLACES.length - 1) }),
  fc.record({ at, kind: fc.constant("outage" as const), server, moments: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ at, kind: fc.constant("busy" as const), took: fc.boolean() }),
];

function casesWith(disturbance: fc.Arbitrary<Disturbance>): fc.Arbitrary<Case> {
  return fc
    .record({
      kind: fc.constantFrom<Case["kind"][]>("plain", "plain", "server", "install", "delete"),
      start: fc.array(start, { maxLength: 8 }),
      steps: fc.array(fc.oneof(ensure, ensure, run), { minLength: 1, maxLength: 5 }),
      disturbances: fc.array(disturbance, { maxLength: 4 }),
      again: fc.constantFrom(false, false, false, true),
    })
    .map(sensible);
}

/** Workers that die, again and again. */
export const deadlyCases: fc.Arbitrary<Case> = casesWith(die);
/** One worker, whose servers and store fail, hang and answer late, which is cancelled or finds changes made by hand. */
export const troubledCases: fc.Arbitrary<Case> = casesWith(fc.oneof(fail, fail, ...others));
/** All of it. */
export const worstCases: fc.Arbitrary<Case> = casesWith(fc.oneof(die, die, die, fail, fail, ...others));

/** One place is declared by one step, what comes after the commit only removes, and a new site has nothing yet. */
function sensible(raw: Case): Case {
  const standing = uniqueBy(raw.start, (one) => `${one.server} ${one.type} ${one.name}`)
    .filter(({ holder }) => raw.kind !== "install" || holder === "other" || holder === "nobody")
    .map((one): StartThing => (one.holder === "both" && one.name !== "shared" ? { ...one, holder: "own" } : one));
  const declaredBy = new Map<string, number>();
  const steps = raw.steps.map((step, index): ModelStep => {
    if (step.kind === "run") return step;
    if (step.late) return { ...step, items: [], remove: step.remove.length === 0 ? TYPES : step.remove };
    const own = step.items.filter(({ name }) => {
      const by = `${step.server} ${name}`;
      if (!declaredBy.has(by)) declaredBy.set(by, index);
      return declaredBy.get(by) === index;
    });
    return {
      ...step,
      items: withUnits(
        own,
        standing.filter((one) => one.server === step.server),
      ),
    };
  });
  return {
    ...raw,
    start: standing,
    steps: [...steps.filter(({ late }) => !late), ...steps.filter(({ late }) => late)],
  };
}

/** A unit and its file are declared by the same step: a plan knows only within a step what makes a thing out of date. */
function withUnits(items: readonly Thing[], standing: readonly StartThing[]): readonly Thing[] {
  const files = items.filter(({ type }) => type === "unit").map((unit): Thing => ({ ...unit, type: "file" }));
  const units = standing.filter(
    ({ type, name, holder }) =>
      type === "unit" &&
      (holder === "own" || holder === "both") &&
      items.some((item) => item.type === "file" && item.name === name),
  );
  return uniqueBy(
    [...files, ...units.map(({ type, name, value }) => ({ type, name, value })), ...items],
    ({ type, name }) => `${type} ${name}`,
  );
}

function uniqueBy<T>(list: readonly T[], key: (one: T) => string): T[] {
  return [...new Map(list.map((one) => [key(one), one])).values()];
}
