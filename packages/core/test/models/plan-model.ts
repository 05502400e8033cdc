import * as fc from "fast-check";
import { RANKS, type TypeName } from "./model-types.ts";

const TYPES = ["user", "folder", "file"] as const satisfies readonly TypeName[];
const OWNERS = ["site/s1", "site/s2", "server/web0"] as const;
const SERVERS = ["web0", "db0"] as const;

/** A thing that is registered or declared; things named `shared` are shared by all who have them. */
interface Owned {
  readonly server: string;
  readonly type: string;
  readonly name: string;
  readonly value: string;
  readonly owner: string;
}

export interface PlanCase {
  /** What stands, each with its owners; without any it is foreign. */
  readonly start: readonly (Omit<Owned, "owner"> & { readonly owners: readonly string[] })[];
  readonly steps: readonly {
    readonly server: string;
    readonly items: readonly Owned[];
    /** Owners whose things go when nothing declares them. */
    readonly remove: readonly string[];
  }[];
}

const thing = {
  type: fc.constantFrom(...TYPES),
  name: fc.constantFrom("a", "b", "shared"),
  value: fc.constantFrom("v1", "v1", "v2"),
};
const owner = fc.constantFrom("site/s1", "site/s1", "site/s1", "site/s2", "server/web0");

export const planCases: fc.Arbitrary<PlanCase> = fc
  .record({
    start: fc.array(
      fc.record({
        ...thing,
        server: fc.constantFrom(...SERVERS),
        owners: fc.oneof(
          owner.map((one) => [one]),
          fc.uniqueArray(owner, { maxLength: 3 }),
        ),
      }),
      { maxLength: 6 },
    ),
    steps: fc.array(
      fc.record({
        server: fc.constantFrom(...SERVERS),
        items: fc.array(fc.record({ ...thing, server: fc.constant(""), owner }), { maxLength: 4 }),
        remove: fc.subarray([...OWNERS]),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ start, steps }) => ({
    start: [...new Map(start.map((one) => [placeOf(one), one])).values()].map((one) => ({
      ...one,
      owners: one.name === "shared" ? one.owners : one.owners.slice(0, 1),
    })),
    steps: steps.map((step) => ({ ...step, items: step.items.map((item) => ({ ...item, server: step.server })) })),
  }));

export function placeOf({ server, type, name }: Pick<Owned, "server" | "type" | "name">): string {
  return `${server} ${type} ${name}`;
}

export interface PlanAnswer {
  readonly refused: ReadonlySet<string>;
  /** Value by place. */
  readonly world: ReadonlyMap<string, string>;
  /** `place owner`. */
  readonly register: ReadonlySet<string>;
  /** Is a second plan of it empty? Where one thing is wanted in two ways, one after the other, it goes through both again. */
  readonly isRepeatable: boolean;
}

/** What a plan must come to, said without the planner. */
export function answerOf({ start, steps }: PlanCase): PlanAnswer {
  const world = new Map(start.map((one) => [placeOf(one), one.value]));
  const owners = new Map(start.map((one) => [placeOf(one), one.owners]));
  const register = new Set(start.flatMap((one) => one.owners.map((by) => `${placeOf(one)} ${by}`)));
  const refused = new Set<string>();
  const last = new Map<string, Owned & { readonly step: number }>();
  for (const item of steps.flatMap(({ items }, step) => items.map((one) => ({ ...one, step })))) {
    const at = placeOf(item);
    const before = last.get(at);
    const shared = item.name === "shared";
    const isOwn = before?.owner === item.owner;
    const isLater = isOwn && !shared && before.step < item.step;
    const alike = before === undefined || isLater || (before.value === item.value && (shared || isOwn));
    const isOthers = (owners.get(at) ?? []).some((by) => by !== item.owner && !shared);
    if (!alike || isOthers) refused.add("HW_RESOURCE_CONFLICT");
    const isForeign = world.has(at) && (owners.get(at) ?? []).length === 0;
    if (before === undefined && isForeign && item.owner.startsWith("site/")) refused.add("HW_RESOURCE_FOREIGN");
    last.set(at, item);
  }
  for (const item of last.values()) world.set(placeOf(item), item.value);
  for (const item of steps.flatMap((step) => step.items)) register.add(`${placeOf(item)} ${item.owner}`);
  const dropped = start.flatMap((one) =>
    one.owners.filter((by) => isDropped({ steps }, placeOf(one), by)).map((by) => [placeOf(one), by] as const),
  );
  for (const [at, by] of dropped) register.delete(`${at} ${by}`);
  for (const [at] of dropped) {
    if (![...register].some((row) => row.startsWith(`${at} `))) world.delete(at);
  }
  const wanted = Map.groupBy(
    steps.flatMap(({ items }) => items),
    placeOf,
  );
  const isRepeatable = [...wanted.values()].every((list) => new Set(list.map(({ value }) => value)).size === 1);
  return { refused, world, register, isRepeatable };
}

/** Registered for an owner that declares it no longer, and to be removed? */
function isDropped({ steps }: Pick<PlanCase, "steps">, at: string, by: string): boolean {
  const here = steps.filter((step) => step.server === at.split(" ")[0]);
  const items = here.flatMap((step) => step.items);
  if (items.some((item) => placeOf(item) === at && item.owner === by)) return false;
  return here.some((step) => step.remove.includes(by));
}

export function rankOf(type: string): number {
  return RANKS[type as TypeName];
}
